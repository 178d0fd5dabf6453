//! The monitor allocates nothing per frame once it runs.

mod common;

use std::time::Duration;

use common::drive::{Do, Drive, ROAD, config};
use gstgaze::core::monitor::ForwardSource;

#[test]
fn the_monitor_allocates_nothing_for_a_frame() {
    let mut automatic = config("euroncap-2026");
    automatic.forward = ForwardSource::Auto;
    let mut drive = Drive::with(automatic, 30);
    drive.eyes = true;
    drive.head = Some(0.5);
    let acts = [ROAD, Do::Look(33.0, -20.0), Do::Look(13.0, -50.0), Do::Close, Do::Hide];
    let shown = acts.map(|act| drive.show(act));
    drive.seconds(ROAD, 60.0);
    let (start, conditions) = (drive.now(), drive.conditions);
    // Three seconds of each act, so that alarms, zones and closures come and go.
    let pass = |drive: &mut Drive, from: u64| {
        for i in 0..6000u64 {
            let frame = &shown[(i / 97) as usize % shown.len()];
            let at = start + Duration::from_secs(1) * (from + i) as u32 / 30;
            drive.events.clear();
            drive.monitor.observe(at, Some(frame), conditions, &mut drive.events);
            std::hint::black_box(drive.monitor.attention());
        }
    };
    pass(&mut drive, 0);
    let counts = allocation_counter::measure(|| pass(&mut drive, 6000));
    assert!(drive.monitor.stats().alarms > 20, "the script does too little");
    assert_eq!(counts.count_total, 0);
}
