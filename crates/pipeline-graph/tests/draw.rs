//! Pictures, compared with the files under `tests/draw` and `docs`.
//!
//! With `UPDATE_EXPECTED=1` the files are written anew. Look at them before they are committed.

use std::{collections::BTreeMap, path::PathBuf};

use pipeline_graph::{
    draw::{Charset, Direction, Picture},
    file::{Format, WorkflowFile},
};
use pipeline_proto::model::{NodeId, Nodes, Status, WorkflowState};
use proptest::prelude::*;

mod support;
use support::{any_edges, node, nodes, untyped};

fn path(of: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(of)
}

fn read(file: &str) -> Nodes {
    let text = std::fs::read_to_string(path(file)).unwrap();
    WorkflowFile::parse(&text, Format::Yaml)
        .unwrap()
        .nodes()
        .clone()
}

fn expect(file: &str, text: &str) {
    let path = path(file);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert!(text == expected, "{file} is not what is drawn now:\n{text}");
}

/// Every status there is, on one node after the other.
fn with_statuses(nodes: &Nodes) -> Picture<'_> {
    let known = [
        "Started", "Starting", "Stopped", "Ready", "Unknown", "Stopping", "Paused",
    ];
    let statuses = nodes.keys().zip(known.iter().cycle());
    statuses.fold(Picture::new(nodes), |picture, (id, status)| {
        picture.node_status(id.clone(), Status::from(*status))
    })
}

#[test]
fn pictures_are_as_expected() {
    let healthy = read("tests/lint/healthy.yaml");
    let odd = read("tests/draw/odd.yaml");
    let healthy = Picture::new(&healthy).title("clickstream");
    let odd = with_statuses(&odd)
        .title("奇怪 & <odd>")
        .status(Status::Starting);
    for (name, picture) in [("healthy", healthy), ("odd", odd)] {
        expect(
            &format!("tests/draw/{name}.txt"),
            &picture.tree(Charset::Unicode),
        );
        expect(
            &format!("tests/draw/{name}.ascii.txt"),
            &picture.tree(Charset::Ascii),
        );
        expect(&format!("tests/draw/{name}.mmd"), &picture.mermaid());
        expect(&format!("tests/draw/{name}.dot"), &picture.dot());
        expect(&format!("tests/draw/{name}.svg"), &picture.svg());
    }
}

#[test]
fn the_pictures_in_the_documentation_are_up_to_date() {
    let nodes = read("tests/lint/healthy.yaml");
    let mut state = WorkflowState::default();
    state.status = Status::Started;
    for id in nodes.keys() {
        let (name, node_type) = id.parts().unwrap();
        let json = serde_json::json!({ "name": name, "type": node_type, "status": "Started" });
        state.nodes.push(serde_json::from_value(json).unwrap());
    }
    let picture = Picture::new(&nodes).title("clickstream").state(&state);
    expect("../../docs/example-graph.svg", &picture.svg());
    expect(
        "../../docs/example-graph.txt",
        &picture.tree(Charset::Unicode),
    );
}

#[test]
fn a_picture_of_nothing_says_so() {
    let nodes = Nodes::new();
    let picture = Picture::new(&nodes);
    assert_eq!(picture.tree(Charset::Unicode), "");
    assert_eq!(picture.mermaid(), "flowchart LR\n");
    assert!(picture.svg().contains(">no nodes</text>"));
}

#[test]
fn the_order_of_edges_does_not_matter() {
    let one = nodes("a-repo > t-transform > b-repo, a-repo > e-export, b-repo > f-export");
    let mut other = one.clone();
    for node in other.values_mut() {
        node.children.reverse();
        node.parents.clear();
    }
    let [one, other] = [Picture::new(&one), Picture::new(&other)];
    assert_eq!(one.svg(), other.svg());
    assert_eq!(one.tree(Charset::Ascii), other.tree(Charset::Ascii));
}

#[test]
fn a_picture_shows_no_data_but_a_few_words() {
    let mut graph = nodes("a-repo > e-export, d-datasource > j-job, a-repo > t-transform");
    for node in graph.values_mut() {
        let data = r#"{"type":"canary, a secret","spec":{"secretKey":"canary"},"code":"canary","interval":"canary canary",
            "scheduler":{"type":"canary/1"},"computation":{"code":"canary"},"description":"canary","canary":1}"#;
        node.data = Some(data.parse().unwrap());
    }
    let picture = Picture::new(&graph);
    let all = [
        picture.tree(Charset::Unicode),
        picture.mermaid(),
        picture.dot(),
        picture.svg(),
        format!("{picture:?}"),
    ];
    assert!(!all.concat().contains("canary"));
}

#[test]
fn a_name_cannot_steer_a_terminal_or_an_editor() {
    let mut graph = Nodes::new();
    let mut evil = node("x-repo");
    evil.name = "\u{1b}[2J\u{202e}\n\"]; <script>".to_owned();
    graph.insert(NodeId::from("\u{1b}\n-repo"), evil);
    let picture = Picture::new(&graph)
        .title("\u{7}\u{1b}<script>")
        .status(Status::from("\u{1b}]"));
    let all = [
        picture.tree(Charset::Unicode),
        picture.mermaid(),
        picture.dot(),
        picture.svg(),
    ]
    .concat();
    assert!(!all.contains(['\u{1b}', '\u{7}', '\u{202e}']));
    assert!(!picture.svg().contains("<script"));
}

#[test]
fn a_tree_grows_with_its_nodes_and_not_with_their_square() {
    let count = 20_000;
    let edges: Vec<_> = (1..count).map(|at| (at - 1, at)).collect();
    let chain = untyped(count, &edges);
    let tree = Picture::new(&chain).tree(Charset::Unicode);
    assert!(tree.len() < 150 * count, "{}", tree.len());
    // Every node once in full, and once more where a branch is continued.
    assert_eq!(tree.matches("  lake").count(), count);
    let most = count / 20;
    assert!(tree.matches("see below").count() < most);
}

proptest! {
    #[test]
    fn every_node_is_drawn_and_every_edge(edges in any_edges()) {
        let (count, edges) = edges;
        let graph = untyped(count, &edges);
        let picture = Picture::new(&graph);
        let svg = picture.svg();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let with_class = |class: &str| {
            let has = |node: &roxmltree::Node<'_, '_>| {
                node.attribute("class").is_some_and(|all| all.split(' ').any(|one| one == class))
            };
            document.descendants().filter(has).count()
        };
        prop_assert_eq!(with_class("wf-node"), count);
        prop_assert_eq!(with_class("wf-wire"), edges.len());
        prop_assert_eq!(picture.dot().matches(" -> ").count(), edges.len());
        let mermaid = picture.mermaid();
        let arrows = mermaid.matches(" --> ").count() + mermaid.matches(" -.-> ").count();
        prop_assert_eq!(arrows, edges.len());
        let tree = picture.tree(Charset::Ascii);
        prop_assert_eq!(tree.matches("  lake").count(), count);
        let branches = tree.matches("|- ").count() + tree.matches("`- ").count();
        prop_assert_eq!(branches, edges.len());
    }

    #[test]
    fn any_text_makes_a_picture(name in any::<String>(), node_type in any::<String>(), status in any::<String>()) {
        let mut one = node("a-repo");
        one.name = name.clone();
        one.node_type = node_type.as_str().into();
        let graph = Nodes::from([(one.id(), one)]);
        let picture = Picture::new(&graph).title(&name).node_status(graph.keys().next().unwrap().clone(), Status::from(status));
        prop_assert!(picture.tree(Charset::Ascii).is_ascii());
        let svg = picture.svg();
        prop_assert!(roxmltree::Document::parse(&svg).is_ok(), "{}", svg);
        prop_assert!(picture.mermaid().is_char_boundary(0));
    }
}

#[test]
fn long_names_are_cut_only_where_they_stay_apart() {
    let middle = |between: &str| format!("nginx_access_logs_{between}_enriched_by_region");
    let (one, other) = (middle("of_the_first"), middle("of_the_second"));
    let alone = "a_name_of_its_own_that_is_longer_than_what_is_shown";
    let nodes = nodes(&format!("{one}-repo,{other}-repo,{alone}-repo"));
    let svg = Picture::new(&nodes).svg();
    let shown = |name: &str| svg.contains(&format!(">{name}</text>"));
    assert!(shown(&one) && shown(&other), "{svg}");
    assert!(!shown(alone) && svg.contains('…'), "{svg}");
}

#[test]
fn what_mermaid_does_not_draw_is_said() {
    let many = |count: usize| {
        let edges = (0..count).map(|n| format!("a-repo>b{n}-export"));
        nodes(&edges.collect::<Vec<_>>().join(","))
    };
    assert_eq!(Picture::new(&many(500)).mermaid_excess(), None);
    let excess = Picture::new(&many(501)).mermaid_excess().unwrap();
    assert!(
        excess.contains("501") && excess.contains("maxEdges"),
        "{excess}"
    );
}

/// Left edge, top and width of each node of an SVG, by its name.
fn boxes(svg: &str) -> BTreeMap<String, [f64; 2]> {
    let nodes = svg.split("<g class=\"wf-node ").skip(1);
    let boxes = nodes.map(|node| {
        let (_, place) = node.split_once("translate(").unwrap();
        let (place, rest) = place.split_once(')').unwrap();
        let (x, y) = place.split_once(' ').unwrap();
        let (_, name) = rest.split_once("<title>").unwrap();
        let name = name.split_whitespace().next().unwrap();
        (name.to_owned(), [x, y].map(|it| it.parse().unwrap()))
    });
    boxes.collect()
}

#[test]
fn a_picture_can_lead_downwards() {
    let nodes = nodes("a-repo>bb-transform>c-repo>d-export,a-repo>d-export,d-export>bb-transform");
    let picture = || Picture::new(&nodes).direction(Direction::Down);
    let svg = picture().svg();
    roxmltree::Document::parse(&svg).unwrap();
    let boxes = boxes(&svg);
    let tops: Vec<f64> = ["a", "bb", "c", "d"]
        .iter()
        .map(|name| boxes[*name][1])
        .collect();
    assert!(tops.is_sorted_by(|a, b| a + 52.0 < *b), "{tops:?}");
    assert!(picture().mermaid().contains("flowchart TB"));
    assert!(picture().dot().contains("rankdir=TB"));
    assert_eq!(
        picture().tree(Charset::Ascii),
        Picture::new(&nodes).tree(Charset::Ascii)
    );
}
