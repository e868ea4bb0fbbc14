//! What holds of a program that ships records when a run is over.

use super::{ShipLog, Shipment, Told, is_of_record};
use crate::{
    check::{Rule, Violation, demand},
    history::{CallLog, Outcome},
    network::Origin,
};

impl ShipLog {
    /// What holds when a run is over.
    pub(crate) fn settled(&self, calls: &[CallLog], was_killed: bool) -> Result<(), Violation> {
        demand!(
            was_killed || self.unknown() == 0,
            Rule::Verdict,
            "{} records have no verdict",
            self.unknown(),
        );
        let mut first = self.arrived.clone();
        let mut seen = vec![false; self.records.len()];
        first.retain(|record| {
            let is_accepted = self.records[*record].verdict == Some(Told::Accepted);
            is_accepted && !std::mem::replace(&mut seen[*record], true)
        });
        demand!(
            !self.terms.ordered || first.is_sorted(),
            Rule::Order,
            "the records arrived in the order {first:?}",
        );
        self.halvings(calls)
    }

    /// How many requests a batch with bad records takes, where nothing else goes wrong.
    fn halvings(&self, calls: &[CallLog]) -> Result<(), Violation> {
        let mut wholes: Vec<(&Shipment, u32, bool)> = Vec::new();
        for request in &self.requests {
            let Some(first) = request.records.first() else {
                continue;
            };
            let handled = |it: &Shipment| {
                let [attempt] = &calls[it.call].attempts[..] else {
                    return None;
                };
                attempt.handled.as_ref().map(|handled| handled.changes)
            };
            let outcome = calls[request.call].outcome();
            let is_calm = handled(request).is_some()
                && matches!(outcome, Some(Outcome::Answer(answer))
                    if answer.origin == Origin::Service && !answer.cut
                        && (answer.status == 200 || is_of_record(answer)));
            let whole = wholes
                .iter_mut()
                .find(|(whole, ..)| whole.records.contains(first));
            match whole {
                Some((whole, requests, calm)) => {
                    *requests += 1;
                    *calm &= is_calm && handled(request) == handled(whole);
                }
                None => wholes.push((request, 1, is_calm)),
            }
        }
        for (whole, requests, _) in wholes.into_iter().filter(|(.., calm)| *calm) {
            let dead = |record: &&usize| self.records[**record].verdict == Some(Told::Dead);
            let bad = u32::try_from(whole.records.iter().filter(dead).count()).unwrap_or(u32::MAX);
            let log = whole.records.len().next_power_of_two().trailing_zeros();
            let open = |record: &usize| {
                matches!(self.records[*record].verdict, None | Some(Told::GivenUp))
            };
            demand!(
                requests <= 2 * bad * (log + 1) + 1 || whole.records.iter().any(open),
                Rule::Limits,
                "{requests} requests for {bad} bad records of {}",
                whole.records.len(),
            );
        }
        Ok(())
    }
}
