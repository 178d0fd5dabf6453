//! Rules profiles: reading TOML, checking values, and the built-in files.

use super::rule_profile::{EscalationStep, EyeRules, GlanceRule, Param, RuleProfile, SharingRule};
use crate::core::monitor::alarms::alarm::Level;
use crate::core::monitor::config_file::{MonitorFileError, parse};

/// The built-in rules profiles, by name.
const BUILTIN: [(&str, &str); 4] = [
    ("euroncap-2026", include_str!("../../../../pipelines/rules/euroncap-2026.toml")),
    ("euroncap-2023", include_str!("../../../../pipelines/rules/euroncap-2023.toml")),
    ("eu-addw", include_str!("../../../../pipelines/rules/eu-addw.toml")),
    ("un-r171", include_str!("../../../../pipelines/rules/un-r171.toml")),
];

/// Longest time of a rule, seconds.
const MAX_SECONDS: f64 = 600.0;

/// Longest window of PERCLOS, seconds.
const MAX_PERCLOS: f64 = 300.0;

/// Highest speed of a rule, km/h.
const MAX_SPEED: f64 = 500.0;

/// Shortest tolerance, seconds: a frame at 20 a second. With less, a gaze would not hold until the
/// next frame.
const MIN_TOLERANCE: f64 = 0.05;

/// Most rules, bands or steps.
const MAX_ENTRIES: usize = 16;

impl RuleProfile {
    /// Reads a profile.
    ///
    /// # Errors
    /// [`MonitorFileError::Syntax`] with the line, [`MonitorFileError::Invalid`] with the key.
    pub fn from_toml(text: &str) -> Result<Self, MonitorFileError> {
        let profile: Self = parse(text, "rules profile")?;
        profile.validate()?;
        Ok(profile)
    }

    /// A built-in profile by its name.
    pub fn builtin(name: &str) -> Option<Result<Self, MonitorFileError>> {
        let (_, text) = BUILTIN.iter().find(|(known, _)| *known == name)?;
        Some(Self::from_toml(text))
    }

    /// The names of the built-in profiles.
    pub fn builtin_names() -> [&'static str; 4] {
        BUILTIN.map(|(name, _)| name)
    }

    fn validate(&self) -> Result<(), MonitorFileError> {
        for (key, text) in [("name", &*self.name), ("version", &self.version)] {
            if text.trim().is_empty() {
                return Err(MonitorFileError::invalid(key, "is empty"));
            }
        }
        if self.rules.len() > MAX_ENTRIES {
            return Err(MonitorFileError::invalid("rule", "the profile has more than 16 rules"));
        }
        let glance = &self.glance;
        seconds("glance.open", &glance.open)?;
        within("glance.tolerance", &glance.tolerance, MIN_TOLERANCE, MAX_SECONDS, "seconds")?;
        seconds("glance.restart", &glance.restart)?;
        if glance.unseen_escalates.as_ref().is_some_and(|flag| flag.clause.trim().is_empty()) {
            return Err(MonitorFileError::invalid("glance.unseen-escalates.clause", "is empty"));
        }
        if glance.restart.value <= glance.tolerance.value {
            let reason = "must be longer than glance.tolerance";
            return Err(MonitorFileError::invalid("glance.restart", reason));
        }
        for (i, rule) in self.rules.iter().enumerate() {
            let key = format!("rule[{i}]");
            rule.validate(&key)?;
            returns(&format!("{key}.clear"), &rule.clear, &glance.tolerance)?;
        }
        if let Some(sharing) = &self.sharing {
            sharing.validate()?;
            returns("sharing.reset", &sharing.reset, &glance.tolerance)?;
        }
        self.eyes.as_ref().map_or(Ok(()), EyeRules::validate)?;
        let availability = &self.availability;
        seconds("availability.after", &availability.after)?;
        seconds("availability.limit", &availability.limit)?;
        seconds("availability.back", &availability.back)?;
        if availability.after.value > availability.limit.value {
            let reason = "must not be later than availability.limit";
            return Err(MonitorFileError::invalid("availability.after", reason));
        }
        Ok(())
    }
}

impl GlanceRule {
    fn validate(&self, key: &str) -> Result<(), MonitorFileError> {
        let invalid = |name: &str, reason: &str| {
            Err(MonitorFileError::invalid(&format!("{key}.{name}"), reason))
        };
        if self.level == Level::None {
            return invalid("level", "must not be \"none\": the rule would have no effect");
        }
        if self.bands.is_empty() || self.bands.len() > MAX_ENTRIES {
            return invalid("bands", "must have 1..=16 entries");
        }
        for (i, band) in self.bands.iter().enumerate() {
            speed(&format!("{key}.bands[{i}].from-speed"), &band.from_speed)?;
            seconds(&format!("{key}.bands[{i}].threshold"), &band.threshold)?;
        }
        if !self.bands.is_sorted_by(|a, b| a.from_speed.value < b.from_speed.value) {
            return invalid("bands", "must be in order, slowest first");
        }
        if let Some(extension) = &self.non_nominal {
            within(&format!("{key}.non-nominal"), extension, 0.0, MAX_SECONDS, "seconds")?;
        }
        seconds(&format!("{key}.clear"), &self.clear)?;
        steps(key, self.level, &self.steps)
    }
}

impl SharingRule {
    fn validate(&self) -> Result<(), MonitorFileError> {
        speed("sharing.from-speed", &self.from_speed)?;
        seconds("sharing.cumulative", &self.cumulative)?;
        seconds("sharing.window", &self.window)?;
        seconds("sharing.reset", &self.reset)?;
        fraction("sharing.phone-share", &self.phone_share)?;
        if self.cumulative.value > self.window.value {
            let reason = "must not be longer than sharing.window";
            return Err(MonitorFileError::invalid("sharing.cumulative", reason));
        }
        steps("sharing", self.level, &self.steps)
    }
}

impl EyeRules {
    fn validate(&self) -> Result<(), MonitorFileError> {
        speed("eyes.from-speed", &self.from_speed)?;
        fraction("eyes.closed-at", &self.closed_at)?;
        for (key, param) in [
            ("eyes.microsleep", &self.microsleep),
            ("eyes.sleep", &self.sleep),
            ("eyes.unresponsive", &self.unresponsive),
            ("eyes.clear", &self.clear),
        ] {
            seconds(key, param)?;
        }
        if self.microsleep.value >= self.sleep.value || self.sleep.value >= self.unresponsive.value
        {
            let reason = "must be longer than eyes.microsleep and shorter than eyes.unresponsive";
            return Err(MonitorFileError::invalid("eyes.sleep", reason));
        }
        let Some(perclos) = &self.perclos else { return Ok(()) };
        speed("eyes.perclos.from-speed", &perclos.from_speed)?;
        for (key, param) in
            [("eyes.perclos.least", &perclos.least), ("eyes.perclos.slow", &perclos.slow)]
        {
            seconds(key, param)?;
        }
        within("eyes.perclos.window", &perclos.window, 1.0, MAX_PERCLOS, "seconds")?;
        fraction("eyes.perclos.threshold", &perclos.threshold)?;
        if perclos.threshold.value == 0.0 {
            let reason = "must not be 0: every driver would be drowsy";
            return Err(MonitorFileError::invalid("eyes.perclos.threshold", reason));
        }
        within("eyes.perclos.looking-down", &perclos.looking_down, 0.0, 90.0, "degrees")?;
        Ok(())
    }
}

fn steps(key: &str, level: Level, steps: &[EscalationStep]) -> Result<(), MonitorFileError> {
    if steps.len() > MAX_ENTRIES {
        return Err(MonitorFileError::invalid(
            &format!("{key}.steps"),
            "must have at most 16 entries",
        ));
    }
    let (mut last, mut after) = (level, 0.0);
    for (i, step) in steps.iter().enumerate() {
        let key = format!("{key}.steps[{i}]");
        seconds(&format!("{key}.after"), &step.after)?;
        if step.level < last || step.after.value < after {
            let reason = "must not come before, or be less urgent than, the step before it";
            return Err(MonitorFileError::invalid(&key, reason));
        }
        (last, after) = (step.level, step.after.value);
    }
    Ok(())
}

/// A return counts only once it has ended the glance, so no return is shorter than the tolerance.
fn returns(key: &str, param: &Param, tolerance: &Param) -> Result<(), MonitorFileError> {
    if param.value < tolerance.value {
        let reason = format!(
            "{} s is shorter than glance.tolerance, {} s; a return counts only once it has ended the \
             glance: lower glance.tolerance",
            param.value, tolerance.value
        );
        return Err(MonitorFileError::invalid(key, &reason));
    }
    Ok(())
}

/// Checks a time above zero: at zero a rule would raise, or clear, its alarm at every frame.
fn seconds(key: &str, param: &Param) -> Result<(), MonitorFileError> {
    within(key, param, f64::MIN_POSITIVE, MAX_SECONDS, "seconds")
}

fn speed(key: &str, param: &Param) -> Result<(), MonitorFileError> {
    within(key, param, 0.0, MAX_SPEED, "km/h")
}

fn fraction(key: &str, param: &Param) -> Result<(), MonitorFileError> {
    within(key, param, 0.0, 1.0, "(a fraction)")
}

fn within(
    key: &str,
    param: &Param,
    least: f64,
    most: f64,
    unit: &str,
) -> Result<(), MonitorFileError> {
    if !(least..=most).contains(&param.value) {
        let reason = if least == f64::MIN_POSITIVE {
            format!("{} is out of range: above 0, up to {most} {unit}", param.value)
        } else {
            format!("{} is out of range: {least}..={most} {unit}", param.value)
        };
        return Err(MonitorFileError::invalid(&format!("{key}.value"), &reason));
    }
    if param.clause.trim().is_empty() {
        return Err(MonitorFileError::invalid(&format!("{key}.clause"), "is empty"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::monitor::alarms::alarm::Alarm;

    fn builtin(name: &str) -> RuleProfile {
        RuleProfile::builtin(name).unwrap().unwrap()
    }

    #[test]
    fn the_built_in_profiles_are_valid_and_named_as_their_files() {
        for name in RuleProfile::builtin_names() {
            assert_eq!(&*builtin(name).name, name);
        }
        assert_eq!(RuleProfile::builtin("euroncap-1999"), None);
    }

    #[test]
    fn speed_selects_the_band_and_an_unknown_speed_the_strictest() {
        let profile = builtin("eu-addw");
        let rule = &profile.rules[0];
        let seconds = |speed, nominal| rule.threshold(speed, nominal).map(|t| t.as_secs_f64());
        assert_eq!(rule.alarm, Alarm::Distraction);
        assert_eq!(seconds(Some(19.9), true), None);
        assert_eq!(seconds(Some(20.0), true), Some(6.0));
        assert_eq!(seconds(Some(49.9), true), Some(6.0));
        assert_eq!(seconds(Some(50.0), true), Some(3.5));
        assert_eq!(seconds(None, true), Some(3.5));
        assert_eq!(seconds(Some(30.0), false), Some(7.5));
        assert_eq!(seconds(Some(90.0), false), Some(5.0));
    }

    #[test]
    fn errors_name_the_key() {
        let good = include_str!("../../../../pipelines/rules/euroncap-2026.toml");
        for (from, to, says) in [
            ("inclusive = true", "inclusive = 3", "line"),
            ("[glance]", "[glance]\nspeed = 3", "line"),
            ("value = 3.0", "value = -3.0", "rule[0].bands[0].threshold.value"),
            ("value = 3.0", "value = nan", "rule[0].bands[0].threshold.value"),
            ("value = 10.0", "value = 40.0", "sharing.cumulative"),
            ("certainty = \"own\"", "certainty = \"sure\"", "line"),
            ("name = \"euroncap-2026\"", "name = \"\"", "'name'"),
            ("value = 3.0", "value = 0.0", "rule[0].bands[0].threshold.value"),
            ("tolerance = { value = 0.3", "tolerance = { value = 0.0", "glance.tolerance.value"),
            ("tolerance = { value = 0.3", "tolerance = { value = 1.1", "rule[0].clear"),
            ("clear = { value = 1.0", "clear = { value = 0.0", "rule[0].clear"),
            ("clear = { value = 1.0", "clear = { value = 0.2", "lower glance.tolerance"),
            ("reset = { value = 2.0", "reset = { value = 0.1", "sharing.reset"),
            ("threshold = { value = 0.12", "threshold = { value = 0.0", "eyes.perclos.threshold"),
            ("microsleep = { value = 1.0", "microsleep = { value = 0.0", "eyes.microsleep.value"),
        ] {
            let text = good.replacen(from, to, 1);
            assert_ne!(text, good, "{from}");
            let error = RuleProfile::from_toml(&text).unwrap_err().to_string();
            assert!(error.contains(says), "{says}: {error}");
        }
    }
}
