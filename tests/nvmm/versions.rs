//! Surfaces of one version of NVIDIA's structures, and a libnvbufsurface.so of another: the element that made
//! the buffer and the library that is found disagree, and nothing of a batch can be trusted.

use super::VERSIONS;
use super::cases::said_with;
use super::stub::{self, ready};
use crate::common::element::says;

#[test]
fn a_library_of_another_version_than_the_buffer_is_reported() {
    if !ready("a_library_of_another_version_than_the_buffer_is_reported") {
        return;
    }
    let (surface, meta) = VERSIONS;
    let (own, other) = if surface == 7 { (7, 8) } else { (8, 7) };
    let folder = stub::build().unwrap();
    let others = stub::build_as((other, meta)).unwrap().join("libs");
    let bytes = |version| if version == 7 { "64 bytes" } else { "72 bytes" };
    for (batch, mux) in [(1, "batch-size=1"), (2, "batch-size=2")] {
        // The descriptor's size tells, before any frame is looked at; the right library says nothing.
        let said = said_with(&others, &folder, mux, batch);
        says(&said, &[bytes(own), bytes(other), "libnvbufsurface.so", "version"]);
        assert_eq!(said_with(&folder.join("libs"), &folder, mux, batch), "nothing");
    }
    // Where the memory is larger than its descriptor, the second frame tells: it is no frame.
    let mux = "batch-size=2 fault=padded metadata=false";
    let said = said_with(&others, &folder, mux, 2);
    says(&said, &["frame 1 of the batch", "version", "libnvbufsurface.so"]);
    assert_eq!(said_with(&folder.join("libs"), &folder, mux, 2), "nothing");
}
