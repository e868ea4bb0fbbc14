//! The faults that were injected, in their order, and which of them meets a request.

use super::InjectedFault;
use crate::id::Kind;

/// A fault that was injected, and how far it has been used up.
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, StatusCode};
/// use pipeline_emulator::{Emulator, InjectedFault};
/// use pipeline_proto::Now;
/// use std::time::{Duration, SystemTime};
///
/// let mut emulator = Emulator::builder().build();
/// emulator.inject(InjectedFault::status(StatusCode::BAD_GATEWAY).times(2));
/// let now = Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO);
/// emulator.handle(Request::get("/v2/workflows").body(Bytes::new())?, now);
/// let report = emulator.faults().next().unwrap();
/// assert_eq!((report.served(), report.left()), (1, Some(1)));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FaultReport {
    id: u64,
    fault: InjectedFault,
    served: u32,
}

impl FaultReport {
    /// What [`remove_fault`](crate::Emulator::remove_fault) knows it by; no other fault of this
    /// emulator has it, or ever had.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The fault as it was injected.
    pub fn fault(&self) -> &InjectedFault {
        &self.fault
    }

    /// How many requests it has met.
    pub fn served(&self) -> u32 {
        self.served
    }

    /// How many more it will meet; `None` for one that never ends.
    pub fn left(&self) -> Option<u32> {
        Some(self.fault.times?.saturating_sub(self.served))
    }
}

/// All faults that were injected, those used up included.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    next: u64,
    reports: Vec<FaultReport>,
}

impl Faults {
    pub(crate) fn inject(&mut self, fault: InjectedFault) {
        let (id, served) = (self.next, 0);
        self.next += 1;
        self.reports.push(FaultReport { id, fault, served });
    }

    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.reports.len();
        self.reports.retain(|report| report.id != id);
        self.reports.len() != before
    }

    pub(crate) fn clear(&mut self) {
        self.reports.clear();
    }

    pub(crate) fn report(&self) -> impl Iterator<Item = &FaultReport> {
        self.reports.iter()
    }

    /// The fault for a request: the first that meets it and is not used up.
    pub(crate) fn serve(
        &mut self,
        operation: Option<&'static str>,
        resource: Option<(Kind, &str)>,
    ) -> Option<InjectedFault> {
        let ready = |report: &FaultReport| report.left() != Some(0);
        let report = self
            .reports
            .iter_mut()
            .find(|report| ready(report) && report.fault.meets(operation, resource))?;
        report.served = report.served.saturating_add(1);
        Some(report.fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    #[test]
    fn faults_meet_what_they_are_addressed_to_in_their_order() {
        let mut faults = Faults::default();
        let fault = |status: u16| InjectedFault::status(StatusCode::from_u16(status).unwrap());
        faults.inject(fault(500).on("get_workflow").on_workflow("w"));
        faults.inject(fault(502).on("get_workflow").times(2));
        faults.inject(fault(503).always().on_workflow("x"));
        let mut serve = |operation, name: Option<&'static str>| {
            faults
                .serve(operation, name.map(|name| (Kind::Workflow, name)))
                .and_then(|fault| Some(fault.status?.as_u16()))
        };
        assert_eq!(serve(Some("list_workflows"), None), None);
        assert_eq!(serve(None, None), None);
        assert_eq!(serve(Some("get_workflow"), Some("v")), Some(502));
        assert_eq!(serve(Some("get_workflow"), Some("w")), Some(500));
        assert_eq!(serve(Some("get_workflow"), Some("w")), Some(502));
        assert_eq!(serve(Some("get_workflow"), Some("w")), None);
        for _ in 0..5 {
            assert_eq!(serve(Some("start_workflow"), Some("x")), Some(503));
        }
        let report: Vec<_> = faults
            .report()
            .map(|fault| (fault.served(), fault.left()))
            .collect();
        assert_eq!(report, [(1, Some(0)), (2, Some(0)), (5, None)]);
    }
}
