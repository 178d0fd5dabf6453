//! The verdict on a budget.

/// Whether a recording keeps a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BudgetVerdict {
    /// Yes.
    Passed,
    /// No.
    Failed,
    /// The recording or the machine does not tell.
    NotMeasured,
}

impl BudgetVerdict {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "pass",
            Self::Failed => "fail",
            Self::NotMeasured => "not measured",
        }
    }

    pub fn of(kept: bool) -> Self {
        if kept { Self::Passed } else { Self::Failed }
    }
}

/// One budget and its verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The name for programs.
    pub key: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// The limit.
    pub budget: String,
    /// The measurement; empty without one.
    pub measured: String,
    /// Whether the measurement keeps the limit.
    pub verdict: BudgetVerdict,
    /// Details, or why there is no measurement.
    pub note: String,
}
