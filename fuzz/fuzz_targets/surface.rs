//! NVIDIA's surfaces: whatever the numbers of a batch say, only memory that is there is read.
//!
//! What cannot be checked from outside is true: the list has `batchSize` frames, and behind a pointer
//! are as many bytes as `dataSize` or `psize` say. All else lies as it likes. The libraries are the
//! stand-in of `tests/nvstub` for DeepStream 8 (`tests/fuzz.sh` builds it); what it cannot bear, since it believes
//! everything, is kept from it: large allocations, and block-linear frames whose planes are none.
#![no_main]

use std::hint::black_box;

use gstgaze::nvidia::surface::{Staging, SurfaceBatch, SurfaceError};
use gstgaze::plugin::nvidia_buffer::{FEATURE, NvmmBuffer, NvmmCaps};
use libfuzzer_sys::arbitrary::{self, Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;

/// Bytes of `NvBufSurfaceParams` of DeepStream 8, and where in it the pointer to a CUDA buffer is.
const STRIDE: usize = 416;
const CUDA_BUFFER: usize = 376;

/// The stand-in's "device" addresses are the host's with this bit flipped.
const DEVICE_BIT: u64 = 1 << 62;

const LARGEST: u32 = 1 << 18;

/// `NvBufSurfaceMemType`: which have a device's address, which the library maps.
const DEVICE: [i32; 2] = [0, 2];
const MAPPED: [i32; 3] = [0, 3, 4];

/// Mostly small.
#[derive(Debug, Clone, Copy)]
struct Number(u32);

impl<'a> Arbitrary<'a> for Number {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self(match u.int_in_range(0..=15)? {
            0 => u32::arbitrary(u)?,
            1 | 2 => u.int_in_range(0..=LARGEST)?,
            3..=5 => u16::arbitrary(u)?.into(),
            _ => u8::arbitrary(u)?.into(),
        }))
    }
}

#[derive(Arbitrary, Debug)]
struct Frame {
    width: Number,
    height: Number,
    format: Format,
    block_linear: bool,
    planes: Option<u32>,
    pitch: [Number; 4],
    offset: [Number; 4],
    psize: [Number; 4],
    data_size: Number,
    null: bool,
    cuda_buffer: bool,
}

/// `NvBufSurfaceColorFormat`.
#[derive(Debug, Clone, Copy)]
struct Format(i32);

impl<'a> Arbitrary<'a> for Format {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self(match u.int_in_range(0..=7)? {
            0 => i32::arbitrary(u)?,
            1..=3 => *u.choose(&[6, 7, 19, 2, 27, 1])?,
            _ => u.int_in_range(0..=92)?,
        }))
    }
}

impl Format {
    fn planes(self) -> u32 {
        match self.0 {
            2..=5 | 31 | 32 | 35 => 3,
            6..=9 | 33 | 34 | 36 => 2,
            _ => 1,
        }
    }
}

#[derive(Arbitrary, Debug)]
struct Input {
    bytes: Option<u8>,
    gpu: Option<u32>,
    capacity: Option<Number>,
    filled: Option<Number>,
    contiguous: u8,
    memory: u8,
    unknown_memory: Option<i32>,
    list: Option<bool>,
    frames: Vec<Frame>,
    slots: Vec<u8>,
}

/// Memory that outlives the batch.
#[derive(Default)]
struct Heap(Vec<Box<[u8]>>);

impl Heap {
    fn bytes(&mut self, bytes: Vec<u8>) -> u64 {
        self.0.push(bytes.into_boxed_slice());
        self.0.last().map_or(0, |bytes| bytes.as_ptr() as u64)
    }

    fn of_size(&mut self, size: u32) -> u64 {
        self.bytes((0..size).map(|i| i as u8).collect())
    }
}

fn put<const N: usize>(to: &mut [u8], at: usize, value: [u8; N]) {
    to[at..at + N].copy_from_slice(&value);
}

impl Frame {
    /// `NvBufSurfaceParams`.
    fn write(&self, memory: i32, heap: &mut Heap, to: &mut [u8]) {
        let blocks = self.block_linear && MAPPED.contains(&memory);
        let mapped = MAPPED.contains(&memory);
        let least = |n: Number, most: u32| if n.0 > most { n.0 % most } else { n.0 };
        let extent = |n: Number| if blocks { least(n, 256) } else { n.0 };
        let (width, height) = (extent(self.width), extent(self.height));
        let planes = self.planes.unwrap_or(self.format.planes());
        let planes = if blocks { planes % 5 } else { planes };
        let data_size = least(self.data_size, 4 * LARGEST);
        put(to, 0, width.to_le_bytes());
        put(to, 4, height.to_le_bytes());
        put(to, 8, self.pitch[0].0.to_le_bytes());
        put(to, 12, self.format.0.to_le_bytes());
        put(to, 16, u32::from(self.block_linear).to_le_bytes());
        put(to, 32, data_size.to_le_bytes());
        put(to, 48, planes.to_le_bytes());
        let mut end = 1;
        for plane in 0..4 {
            let pitch = if blocks { least(self.pitch[plane], 2048) } else { self.pitch[plane].0 };
            let offset = if mapped { least(self.offset[plane], LARGEST) } else { self.offset[plane].0 };
            let psize = least(self.psize[plane], LARGEST);
            let (row, rows) = (width.div_ceil(2), height.div_ceil(2));
            let (row, rows) = if blocks { (row, rows) } else { (width, height) };
            if blocks {
                end = end.max(offset + pitch * rows + row);
            }
            if mapped {
                end = end.max(offset + psize);
            }
            for (start, value) in
                [(52, row), (68, rows), (84, pitch), (100, offset), (116, psize)]
            {
                put(to, start + 4 * plane, value.to_le_bytes());
            }
        }
        if mapped {
            put(to, 24, heap.of_size(end).to_le_bytes());
        }
        if self.null {
            return;
        }
        let data = heap.of_size(data_size);
        if !DEVICE.contains(&memory) {
            put(to, 40, data.to_le_bytes());
        } else if self.cuda_buffer {
            let mut buffer = vec![0; 96];
            put(&mut buffer, 8, (data ^ DEVICE_BIT).to_le_bytes());
            put(to, CUDA_BUFFER, heap.bytes(buffer).to_le_bytes());
        } else {
            put(to, 40, (data ^ DEVICE_BIT).to_le_bytes());
        }
    }
}

impl Input {
    /// `NvBufSurface`.
    fn write(&self, heap: &mut Heap) -> Vec<u8> {
        let memory = self.unknown_memory.unwrap_or(i32::from(self.memory % 8));
        let there = self.frames.len() as u32;
        let capacity = self.capacity.map_or(there, |n| n.0);
        let filled = self.filled.map_or(there, |n| n.0);
        // More than the batches that are taken: refused before the list is looked at.
        let listed = if capacity <= 1024 { capacity as usize } else { 1 };
        let mut list = vec![0; listed * STRIDE];
        for (frame, to) in self.frames.iter().zip(list.chunks_exact_mut(STRIDE)) {
            frame.write(memory, heap, to);
        }
        let mut surface = vec![0; 128];
        put(&mut surface, 0, self.gpu.unwrap_or(0).to_le_bytes());
        put(&mut surface, 4, capacity.to_le_bytes());
        put(&mut surface, 8, filled.to_le_bytes());
        put(&mut surface, 12, [self.contiguous]);
        put(&mut surface, 16, memory.to_le_bytes());
        if self.list != Some(false) {
            put(&mut surface, 24, heap.bytes(list).to_le_bytes());
        }
        surface.truncate(self.bytes.map_or(72, |bytes| usize::from(bytes % 128)));
        surface
    }
}

/// Reads every byte of one frame that is said to be there.
fn look(batch: &SurfaceBatch<'_>, slot: usize, staging: &mut Staging) {
    let size = batch.size(slot);
    match batch.map(slot, staging) {
        Ok(mapped) => {
            let view = mapped.view().expect("a frame that was checked");
            assert_eq!(size.expect("a size"), view.size());
            let mut sum = 0_u64;
            for plane in 0..view.format().planes() {
                let (_, rows) = view.format().plane_extent(plane, view.size());
                for y in 0..rows {
                    sum += view.row(plane, y).iter().copied().map(u64::from).sum::<u64>();
                }
            }
            black_box(sum);
        }
        Err(why) => {
            assert!(!why.is_lasting(), "{why}: run by tests/fuzz.sh");
            assert!(slot < batch.len() || matches!(why, SurfaceError::Slot { .. }), "{why}");
        }
    }
}

fuzz_target!(init: gst::init().expect("GStreamer"), |input: Input| {
    let mut heap = Heap::default();
    let descriptor = input.write(&mut heap);
    let buffer = gst::Buffer::from_slice(descriptor);
    let caps = gst::Caps::builder("video/x-raw").features([FEATURE]).build();
    let caps = NvmmCaps::of(&caps).expect("NVMM");
    let mapped = NvmmBuffer::map(&buffer, caps).expect("memory");
    let Ok(batch) = mapped.surfaces() else { return };
    let mut staging = Staging::default();
    for slot in 0..batch.len().min(8) {
        look(&batch, slot, &mut staging);
    }
    for slot in &input.slots {
        look(&batch, usize::from(*slot), &mut staging);
    }
});
