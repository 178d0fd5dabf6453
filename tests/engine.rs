//! Smoke.
mod common;
use gstgaze::core::tensor::{Engine, TensorMut};
use gstgaze::engine::{self, EngineOptions};

#[test]
fn smoke() {
    for name in
        ["regression.onnx", "regression_batch1.onnx", "regression_batch4.onnx", "regression.ort"]
    {
        let options = EngineOptions { batch_size: 3, ..Default::default() };
        let mut e = engine::open(common::data(name), &options).unwrap();
        println!("{:?} {} {:?} {:?}", e.info(), e.max_batch(), e.input_shape(0), e.output_shape(0));
        if let TensorMut::F32(x) = e.input(0) {
            x.fill(0.5)
        }
        e.run(1).unwrap();
        println!("{:?}", e.output(0));
        for b in [3, 2, 2, 3, 1] {
            if let Err(x) = e.run(b) {
                println!("{x}")
            } else {
                println!("{:?}", e.output(0));
            }
        }
    }
}
