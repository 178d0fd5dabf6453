//! Rules profiles: what is accepted judges a drive without a fault.
#![no_main]

use std::sync::OnceLock;

use gstgaze::core::monitor::RuleProfile;
use libfuzzer_sys::arbitrary::{self, Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use sheet::Edited;
use sheet::drive::{Setup, Step, judge};

#[derive(Arbitrary, Debug)]
struct Input {
    #[arbitrary(with = rules)]
    text: Edited,
    setup: Setup,
    steps: Vec<Step>,
}

fn rules(u: &mut Unstructured<'_>) -> Result<Edited> {
    static BASES: OnceLock<Vec<String>> = OnceLock::new();
    let bases = BASES.get_or_init(|| {
        [
            include_str!("../../pipelines/rules/euroncap-2026.toml"),
            include_str!("../../pipelines/rules/euroncap-2023.toml"),
            include_str!("../../pipelines/rules/eu-addw.toml"),
            include_str!("../../pipelines/rules/un-r171.toml"),
        ]
        .map(str::to_owned)
        .to_vec()
    });
    Edited::of(u, bases)
}

fuzz_target!(|input: Input| {
    if let Ok(rules) = RuleProfile::from_toml(&input.text.0) {
        judge(input.setup.config(rules), &input.steps);
    }
});
