//! The structures beside what NVIDIA's headers say of them: `layouts.txt`, which was written from
//! the headers' own names and numbers and shares nothing with the definitions here.
//!
//! `cargo test --lib nvidia::abi -- --nocapture` prints the table.

use super::meta::{BaseMeta, BatchMeta, FrameMetaHead, List, MetaPool, ObjectMetaHead, UserMeta};
use super::osd::{ArrowParams, ColorParams, DisplayMetaFrom9, DisplayMetaHead, DisplayMetaUpTo8};
use super::surface::{
    CreateParams, CudaBuffer, ParamsFrom8, ParamsHead, ParamsUpTo7, PlaneParams, SurfaceFrom8,
    SurfaceHead, SurfaceUpTo7,
};
use super::transform::{ConfigParams, TransformParams};

/// The offsets of a structure's named fields, in their order.
pub(in crate::nvidia) trait Laid {
    const OFFSETS: &'static [usize];
}

/// A structure's name here, its size and its offsets.
fn laid<T: Laid>(name: &'static str) -> (&'static str, usize, &'static [usize]) {
    (name, size_of::<T>(), T::OFFSETS)
}

macro_rules! all {
    ($($type:ty),* $(,)?) => { [$(laid::<$type>(stringify!($type))),*] };
}

#[test]
fn every_structure_is_as_the_headers_say() {
    let structures = all![
        SurfaceHead,
        SurfaceUpTo7,
        SurfaceFrom8,
        PlaneParams,
        ParamsHead,
        ParamsUpTo7,
        ParamsFrom8,
        CudaBuffer,
        CreateParams,
        ConfigParams,
        TransformParams,
        List,
        BaseMeta,
        MetaPool,
        UserMeta,
        BatchMeta,
        FrameMetaHead,
        ObjectMetaHead,
        ColorParams,
        ArrowParams,
        DisplayMetaHead,
        DisplayMetaUpTo8,
        DisplayMetaFrom9,
    ];
    let table = include_str!("layouts.txt");
    let lines = table.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let mut seen = Vec::new();
    for line in lines {
        let columns: Vec<_> = line.split('|').map(str::trim).collect();
        let [name, c_name, versions, size, fields] = columns[..] else { panic!("{line}") };
        let (_, bytes, offsets) = structures
            .iter()
            .find(|(own, ..)| *own == name)
            .unwrap_or_else(|| panic!("no structure {name}"));
        let given: Vec<(&str, usize)> = fields
            .split_whitespace()
            .map(|field| field.rsplit_once('@').unwrap())
            .map(|(field, offset)| (field, offset.parse().unwrap()))
            .collect();
        assert_eq!(*bytes, size.parse::<usize>().unwrap(), "size of {name}");
        assert_eq!(*offsets, given.iter().map(|(_, at)| *at).collect::<Vec<_>>(), "{name}");
        println!("{c_name} ({versions}): {bytes} bytes, here {name}");
        for ((field, header), own) in given.iter().zip(*offsets) {
            println!("    {field:<28} header {header:>5}   here {own:>5}");
        }
        seen.push(name);
    }
    let missing = structures.iter().filter(|(name, ..)| !seen.contains(name));
    assert_eq!(missing.count(), 0, "not in the table");
}
