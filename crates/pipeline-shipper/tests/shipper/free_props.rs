//! Whatever the network and others do to the queue, each record without a schema has one verdict, which is true, and
//! fields are there before the points that have them.

use pipeline_shipper::{Outcome, Reason, SchemaFree, Settings, Shipper};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    service::Bed,
    world::{Trouble, millis, secs},
};

const CALLS: [&str; 7] = [
    "get_repo",
    "create_repo",
    "update_repo",
    "push_points",
    "get_workflow_status",
    "stop_workflow",
    "start_workflow",
];

fn any_trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        4 => Just(Trouble::None),
        1 => Just(Trouble::ResetBefore),
        1 => Just(Trouble::ResetAfter),
        1 => Just(Trouble::Response(503, "busy", None)),
        1 => Just(Trouble::Response(500, "E9000: failed", Some(3))),
    ]
}

/// What others do to the queue before a record comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Nothing,
    DeleteQueue,
    TakeFieldAway,
    AddField,
}

#[derive(Debug, Clone)]
struct Record {
    shipper: usize,
    members: Vec<(&'static str, &'static str)>,
    pause: u64,
    deed: Deed,
}

fn any_record() -> impl Strategy<Value = Record> {
    let value = select(vec![
        "1",
        "2.5",
        "\"x\"",
        "\"7\"",
        "true",
        "null",
        "[1]",
        "{\"m\":1}",
        "9007199254740993",
    ]);
    let members = vec((select(vec!["a", "b", "c", "d-e", "geo"]), value), 0..4);
    let deed = prop_oneof![
        12 => Just(Deed::Nothing),
        1 => Just(Deed::DeleteQueue),
        1 => Just(Deed::TakeFieldAway),
        1 => Just(Deed::AddField),
    ];
    (0..2_usize, members, 0..3000_u64, deed).prop_map(|(shipper, mut members, pause, deed)| {
        members.sort_unstable();
        members.dedup_by_key(|member| member.0);
        Record {
            shipper,
            members,
            pause,
            deed,
        }
    })
}

fn line(id: u64, record: &Record) -> String {
    let members = record.members.iter();
    let members = members.map(|(key, value)| format!(",\"{key}\":{value}"));
    format!("{{\"id\":{id}{}}}", members.collect::<String>())
}

/// Lets others do something, and says whether points may meet a queue without their fields.
fn act(bed: &mut Bed, deed: Deed) -> bool {
    let Some(schema) = &mut bed.service.schema else {
        return false;
    };
    match deed {
        Deed::Nothing => return false,
        Deed::DeleteQueue => bed.service.schema = None,
        Deed::TakeFieldAway => schema.truncate(schema.len().max(2) - 1),
        Deed::AddField if schema.iter().any(|entry| entry.key == "theirs") => return false,
        Deed::AddField => {
            let theirs = "theirs string".parse::<pipeline_proto::resource::schema::Schema>();
            schema.extend(theirs.unwrap().0);
        }
    }
    true
}

proptest! {
    #[test]
    fn every_record_without_a_schema_gets_the_one_verdict_that_is_true(
        records in vec(any_record(), 1..40),
        with_two in any::<bool>(),
        with_deeds in any::<bool>(),
        ordered in any::<bool>(),
        spread in 0..7000_u64,
        troubles in vec((select(&CALLS[..]), vec(any_trouble(), 0..12)), 0..5),
        latencies in vec((1..3000_u64).prop_map(millis), 1..5),
        in_flow in any::<bool>(),
    ) {
        let free = SchemaFree::new().may_stop(true);
        let settings = Settings::new().schema_free(free).ordered(ordered).batch_records(7);
        let mut bed = Bed::with("id long, geo { n long }", settings.clone());
        if in_flow {
            (bed.service.flow, bed.service.in_flow) = (Some(crate::service::Flow::Started), true);
        }
        bed.latencies = latencies;
        bed.service.spread = millis(spread);
        for (call, troubles) in troubles {
            bed = bed.trouble(call, troubles);
        }
        if with_two {
            bed.shippers.push(Shipper::new("clicks".parse().unwrap(), settings.seed(7)));
        }
        let mut is_blind = with_two;
        for (id, record) in (0..).zip(&records) {
            bed.pass(millis(record.pause));
            if with_deeds && !in_flow {
                is_blind |= act(&mut bed, record.deed);
            }
            bed.push(record.shipper * usize::from(with_two), id, &line(id, record));
        }
        bed.pass(secs(600));
        bed.close(secs(3600));
        prop_assert_eq!(bed.verdicts.len(), records.len());
        for (id, verdict) in &bed.verdicts {
            match &verdict.outcome {
                Outcome::Accepted => {
                    let begin = format!("id={id}\t");
                    let arrived = bed.service.points.iter().any(|point| format!("{point}\t").starts_with(&begin));
                    prop_assert!(arrived, "{id}");
                }
                // Of two that guess, one comes first; what is there then is another's.
                Outcome::Dead(Reason::Unfit(_)) => {}
                // A field that was taken away has another type when another has added it again.
                Outcome::Dead(Reason::Refused(_)) if with_two || with_deeds => {}
                other => prop_assert!(false, "{id}: {other:?}"),
            }
        }
        prop_assert!(is_blind || bed.service.blind_pushes == 0);
        prop_assert!(!in_flow || bed.service.is_running(bed.now.mono));
    }
}
