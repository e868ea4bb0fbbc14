//! The emulator held against the [model](pipeline_simulation::model) of the service, over random histories: requests of two
//! accounts, good and bad, with time passing in between, clocks being set, starts and stops that
//! take their time or fail, snapshots and restarts.
//!
//! After each step the response must be the model's, and so must everything that a look around shows.
//! A history that goes wrong is made as short as it can be, and printed one line for each step.

mod state_file;
mod steps;
mod world;

use std::collections::BTreeSet;

use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};

use steps::history;
use world::World;

proptest! {
    #[test]
    fn the_emulator_is_what_the_model_is(steps in history()) {
        let mut world = World::new();
        for step in &steps {
            world.step(step).map_err(TestCaseError::fail)?;
        }
    }
}

/// A history that never gets anywhere would hold anything to be right.
#[test]
fn histories_get_everywhere() {
    let mut runner = TestRunner::deterministic();
    let mut met = BTreeSet::new();
    for _ in 0..1_000 {
        let steps = history().new_tree(&mut runner).unwrap().current();
        let mut world = World::new();
        for step in &steps {
            let answer = world.step(step).unwrap();
            let Some(answer) = answer else { continue };
            met.insert(match (answer.code, &answer.body["status"]) {
                (Some(code), _) => format!("E{code}"),
                (None, serde_json::Value::String(status)) => status.clone(),
                (None, _) => answer.status.to_string(),
            });
        }
    }
    let expected = "200 401 405 E18003 E18004 E18005 E18006 E18007 E18008 E18101 E18102 E18103 E18105 E18110 \
                    E18111 E18112 E18128 E18201 E18202 E18204 E18206 E18207 E18212 E18220 E18223 E18301 E18302 \
                    E18305 E18600 E18601 E18602 E18603 E18604 E18605 E18606 E18608 E18609 E18610 E18611 E18612 \
                    E18621 E18622 E18639 E18640 E18641 E18642 E18643 E18644 E18645 E18646 E18650 E18651 E18653 \
                    E18664 Ready Started Starting Stopped Stopping";
    let missed: Vec<_> = expected
        .split_whitespace()
        .filter(|word| !met.contains(*word))
        .collect();
    assert!(missed.is_empty(), "{missed:?}");
}
