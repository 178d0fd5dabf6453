use std::sync::Mutex;
use std::thread;

use super::*;
use crate::core::inference::{ElementType, TensorInfo};

/// Doubles its input, and records the sizes of its batches. A negative number is an error, an infinite
/// one a panic.
struct Doubler {
    info: ModelInfo,
    input: Vec<f32>,
    output: Vec<f32>,
    batches: Arc<Mutex<Vec<usize>>>,
}

const MAX: usize = 4;

impl Doubler {
    fn batcher(timeout: Duration) -> (Arc<Batcher>, Arc<Mutex<Vec<usize>>>) {
        let tensor = |name: &str| TensorInfo {
            name: name.to_owned(),
            element: Some(ElementType::F32),
            shape: vec![None, Some(2)],
        };
        let info = ModelInfo {
            inputs: vec![tensor("x")],
            outputs: vec![tensor("y")],
            ..ModelInfo::default()
        };
        let batches = Arc::default();
        let engine = Self {
            info,
            input: vec![0.0; 2 * MAX],
            output: vec![0.0; 2 * MAX],
            batches: Arc::clone(&batches),
        };
        (Arc::new(Batcher::new(Box::new(engine), timeout)), batches)
    }
}

impl Engine for Doubler {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn provider(&self) -> &str {
        "test"
    }

    fn max_batch(&self) -> usize {
        MAX
    }

    fn input_shape(&self, _index: usize) -> &[usize] {
        &[MAX, 2]
    }

    fn output_shape(&self, _index: usize) -> &[usize] {
        &[MAX, 2]
    }

    fn input(&mut self, _index: usize) -> TensorMut<'_> {
        TensorMut::F32(&mut self.input)
    }

    fn run(&mut self, batch: usize) -> Result<(), EngineError> {
        self.batches.lock().unwrap().push(batch);
        let input = &self.input[..2 * batch];
        if input.iter().any(|value| *value < 0.0) {
            return Err(EngineError::Run("negative".to_owned()));
        }
        assert!(input.iter().all(|value| value.is_finite()), "a panic that a test asked for");
        self.output.fill(f32::NAN);
        for (to, from) in self.output.iter_mut().zip(input) {
            *to = 2.0 * from;
        }
        Ok(())
    }

    fn output(&self, _index: usize) -> &[f32] {
        &self.output
    }
}

/// Runs items of these values.
fn ask(engine: &mut BatchedEngine, values: &[f32]) -> Result<Vec<f32>, EngineError> {
    let TensorMut::F32(input) = engine.input(0) else { unreachable!() };
    for (item, value) in input.chunks_mut(2).zip(values) {
        item.copy_from_slice(&[*value, *value + 0.5]);
    }
    engine.run(values.len())?;
    Ok(engine.output(0)[..2 * values.len()].to_vec())
}

fn doubled(values: &[f32]) -> Vec<f32> {
    values.iter().flat_map(|value| [2.0 * value, 2.0 * value + 1.0]).collect()
}

/// A test that waited for it would not end.
const LONG: Duration = Duration::from_secs(1_000_000);

#[test]
fn one_stream_alone_does_not_wait() {
    let (batcher, batches) = Doubler::batcher(LONG);
    let mut engine = BatchedEngine::new(batcher);
    assert_eq!(ask(&mut engine, &[1.0, 2.0, 3.0]).unwrap(), doubled(&[1.0, 2.0, 3.0]));
    assert_eq!(*batches.lock().unwrap(), [3]);
    assert!(engine.run(0).is_err() && engine.run(MAX + 1).is_err());
}

#[test]
fn streams_that_run_together_share_a_batch_and_get_their_own_results() {
    let (batcher, batches) = Doubler::batcher(LONG);
    let engines: Vec<_> = (0..MAX).map(|_| BatchedEngine::new(batcher.clone())).collect();
    thread::scope(|scope| {
        for (number, mut engine) in engines.into_iter().enumerate() {
            scope.spawn(move || {
                let value = number as f32;
                assert_eq!(ask(&mut engine, &[value]).unwrap(), doubled(&[value]));
            });
        }
    });
    // Those that come later may find that others have left.
    assert_eq!(batches.lock().unwrap().iter().sum::<usize>(), MAX);
    assert_eq!(batches.lock().unwrap()[0], MAX, "the first batch waited for all");
}

#[test]
fn the_timeout_ends_a_wait_and_an_error_reaches_the_stream() {
    let (batcher, batches) = Doubler::batcher(Duration::from_millis(30));
    let (mut first, idle) = (BatchedEngine::new(batcher.clone()), BatchedEngine::new(batcher));
    assert_eq!(ask(&mut first, &[7.0]).unwrap(), doubled(&[7.0]), "the other never came");
    assert_eq!(ask(&mut first, &[-1.0]), Err(EngineError::Run("negative".to_owned())));
    assert_eq!(ask(&mut first, &[8.0]).unwrap(), doubled(&[8.0]), "the next is well again");
    assert_eq!(*batches.lock().unwrap(), [1, 1, 1]);
    drop(idle);
}

/// Many streams, items that do not always fit, no stream left behind and no result mixed up.
#[test]
fn no_stream_starves() {
    const ROUNDS: usize = 200;
    let (batcher, batches) = Doubler::batcher(Duration::from_millis(2));
    let engines: Vec<_> = (0..6).map(|_| BatchedEngine::new(batcher.clone())).collect();
    thread::scope(|scope| {
        for (number, mut engine) in engines.into_iter().enumerate() {
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let items = 1 + (number + round) % 3;
                    let values: Vec<f32> =
                        (0..items).map(|item| (number * 1000 + round * 4 + item) as f32).collect();
                    assert_eq!(ask(&mut engine, &values).unwrap(), doubled(&values));
                }
            });
        }
    });
    let batches = batches.lock().unwrap();
    let expected: usize =
        (0..6).flat_map(|number| (0..ROUNDS).map(move |round| 1 + (number + round) % 3)).sum();
    assert_eq!(batches.iter().sum::<usize>(), expected);
    assert!(batches.contains(&MAX), "some streams shared a batch");
}

/// A panic ends the run for every stream of the batch with an error, and no later run gives an answer:
/// it could be that of others.
#[test]
fn a_panic_is_an_error_for_every_stream_for_ever() {
    let (batcher, _) = Doubler::batcher(LONG);
    let engines: Vec<_> = (0..MAX).map(|_| BatchedEngine::new(batcher.clone())).collect();
    let results: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = engines
            .into_iter()
            .enumerate()
            .map(|(number, mut engine)| {
                scope.spawn(move || {
                    let value = if number == 2 { f32::INFINITY } else { number as f32 };
                    let first = ask(&mut engine, &[value]);
                    (first, ask(&mut engine, &[1.0]))
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let broken = Err(EngineError::Run(BROKEN.to_owned()));
    assert!(
        results.iter().all(|(first, second)| *first == broken && *second == broken),
        "{results:?}"
    );
}
