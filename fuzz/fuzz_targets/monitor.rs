//! The monitor: any stamps, any faces, any conditions, with the rules that ship.
#![no_main]

use gstgaze::core::monitor::RuleProfile;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use sheet::drive::{Setup, Step, judge};

#[derive(Arbitrary, Debug)]
struct Input {
    rules: u8,
    setup: Setup,
    steps: Vec<Step>,
}

fuzz_target!(|input: Input| {
    let names = RuleProfile::builtin_names();
    let name = names[usize::from(input.rules) % names.len()];
    let rules = RuleProfile::builtin(name).expect("it ships").expect("it is right");
    judge(input.setup.config(rules), &input.steps);
});
