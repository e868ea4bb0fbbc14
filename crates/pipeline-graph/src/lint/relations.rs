//! What must hold between the members of a node's data, and between the data and the edges.

use std::collections::{HashMap, HashSet};

use pipeline_proto::{
    model::{NodeId, NodeType},
    resource::{
        job::{JobContainer, MAX_CORES, SchedulerType},
        schema::ValType,
    },
};

use super::{
    Linter, Rule, Subject,
    data::{Spec, is_absent, is_empty},
    mapping::Source,
};
use crate::{graph::Adjacency, path::Path, references, suggest, tree::Tree};

impl Linter<'_> {
    pub(super) fn check_relations(&mut self, subjects: &[Subject<'_>], parents: &Adjacency) {
        let children = parents.transpose();
        for (at, subject) in parents.positions().zip(subjects) {
            let (above, below) = (parents.of(at), children.of(at));
            let ids = |list: &[u32]| -> Vec<&NodeId> {
                list.iter().map(|at| subjects[*at as usize].id).collect()
            };
            // What could not be read may be the edge that is missing.
            let edges = self.unread.is_empty().then(|| (ids(above), ids(below)));
            if let Some((above, below)) = &edges {
                self.check_counts(subject, above, below);
            }
            let Some(spec) = subject.spec() else { continue };
            match subject.node.node_type {
                NodeType::Transform => {
                    self.check_transform(subject, &spec);
                    if let [child] = children.of(at) {
                        self.check_destination(subject, &spec, &subjects[*child as usize]);
                    }
                }
                NodeType::Job => self.check_job(subject, &spec),
                _ => {}
            }
            if let Some((above, below)) = &edges {
                self.check_names(subject, &spec, above, below);
                if subject.node.node_type == NodeType::Job {
                    self.check_sources(subject, &spec, above);
                }
            }
        }
        self.check_tables(subjects, parents);
    }

    /// Reports what is found at some place in the spec, or as far down as there is something.
    fn find(&mut self, subject: &Subject<'_>, way: &str, rule: Rule, message: &str) {
        let Some(spec) = subject.spec() else { return };
        spec.in_path(&mut subject.path("data"), |path| {
            descend(spec.tree(), path, way, &mut |tree, path| {
                let at = Some(tree.at);
                self.report(subject, rule, message, path.as_str(), at);
            });
        });
    }

    /// The paths of the calls that make transforms and exports have one source and one destination.
    fn check_counts(&mut self, subject: &Subject<'_>, parents: &[&NodeId], children: &[&NodeId]) {
        use NodeType::{Export, ExportBatch, Repo, Transform};
        let id = subject.id;
        let names = |ids: &[&NodeId]| {
            let names: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
            suggest::list(&names)
        };
        let (rule, message) = match subject.node.node_type {
            Repo if parents.len() > 1 => (
                Rule::DestinationTaken,
                format!(
                    "{} all write to {id:?}; give each a repo of its own",
                    names(parents)
                ),
            ),
            Transform if children.len() > 1 => (
                Rule::ExtraEdge,
                format!(
                    "{id:?} writes to {}; a transform has one destination",
                    names(children)
                ),
            ),
            Export | ExportBatch if parents.len() > 1 => (
                Rule::ExtraEdge,
                format!(
                    "{id:?} reads from {}; an export has one source",
                    names(parents)
                ),
            ),
            _ => return,
        };
        self.report(subject, rule, message, &subject.whole(), None);
    }

    /// Names of the node and of its neighbours that the data repeats.
    fn check_names(
        &mut self,
        subject: &Subject<'_>,
        spec: &Spec<'_>,
        parents: &[&NodeId],
        children: &[&NodeId],
    ) {
        let node = subject.node;
        let is_one = |ids: &[&NodeId], name: &str| {
            let mut names = ids.iter().filter_map(|id| Some(id.parts()?.0));
            names.any(|one| one == name)
        };
        let says = |member: &'static str| Some((member, spec.text(member)?));
        let (member, message) = match (&node.node_type, says("to"), says("derivedFrom")) {
            (NodeType::Transform, Some((to, name)), _) if !is_one(children, name) => (
                to,
                format!("the data says that it writes to {name:?}, the edges do not"),
            ),
            (NodeType::Repo, _, Some((from, name))) if !is_one(parents, name) => (
                from,
                format!("the data says that {name:?} writes to it, the edges do not"),
            ),
            (NodeType::Transform | NodeType::Export | NodeType::ExportBatch, ..) => {
                match says("name") {
                    Some((member, name)) if name != node.name => {
                        (member, format!("the data says that it is called {name:?}"))
                    }
                    _ => return,
                }
            }
            _ => return,
        };
        // On reading these stand outside of a spec that is wrapped.
        let outside = subject.data.as_deref().and_then(|data| data.get(member));
        let at = outside.map(|tree| tree.at);
        let path = Path::inside(subject.path("data").as_str(), member);
        self.report(subject, Rule::EdgeMismatch, message, path.as_str(), at);
    }

    fn check_transform(&mut self, subject: &Subject<'_>, spec: &Spec<'_>) {
        let has = |name| spec.get(name).is_some();
        let message = match (has("mode"), has("code"), has("plugin")) {
            (_, false, false) => "a transform needs mode and code, a plugin, or all three",
            (true, false, true) => "\"code\" is missing: mode says in which language it is",
            _ => return,
        };
        self.find(subject, "", Rule::MissingMember, message);
    }

    /// What a transform says of the fields of its destination.
    fn check_destination(&mut self, subject: &Subject<'_>, spec: &Spec<'_>, child: &Subject<'_>) {
        let fields = spec.get("destrepo").and_then(Tree::as_list);
        let (Some(fields), Some(there)) = (fields, Source::new(child)) else {
            return;
        };
        let plain = |text: &&str| !text.is_empty() && !references::has_variable(text);
        let known_type = |own: &str| ValType::KNOWN.iter().any(|known| known.as_str() == own);
        for (index, field) in fields.iter().enumerate() {
            let text = |name: &str| field.get(name).and_then(Tree::as_text).filter(plain);
            let Some(key) = text("key") else { continue };
            let (member, message) = match (there.fields.get(key), text("valtype")) {
                (None, _) => (
                    "key",
                    format!("{:?} has no field {key:?}; {}", child.id, there.list()),
                ),
                (Some(Some(other)), Some(own))
                    if own != *other && plain(other) && known_type(own) =>
                {
                    (
                        "valtype",
                        format!("in {:?} the field {key:?} is of type {other}", child.id),
                    )
                }
                _ => continue,
            };
            let way = format!("destrepo[{index}].{member}");
            self.find(subject, &way, Rule::EdgeMismatch, &message);
        }
    }

    fn check_job(&mut self, subject: &Subject<'_>, spec: &Spec<'_>) {
        let scheduler = spec.get("scheduler");
        let kind = scheduler
            .and_then(|it| it.get("type"))
            .and_then(Tree::as_text);
        let kind = kind.map(SchedulerType::from);
        let plan = scheduler.and_then(|it| it.get("spec"));
        let says = |name: &str| {
            let tree = plan.and_then(|plan| plan.get(name));
            tree.is_some_and(|tree| !is_absent(tree))
        };
        let planned = "scheduler.spec";
        match kind {
            Some(SchedulerType::Depend) => return self.check_depending_job(subject, spec),
            Some(SchedulerType::Crontab)
                if plan.is_some_and(|it| !it.is_null()) && !says("crontab") =>
            {
                let message = "\"crontab\" is missing: fields of a cron table, as 0 0 0/1 * *";
                self.find(subject, planned, Rule::MissingMember, message);
            }
            Some(SchedulerType::Loop) if says("crontab") => {
                let message = "a loop does not look at crontab; write loop: 5m, or type: crontab";
                self.find(
                    subject,
                    "scheduler.spec.crontab",
                    Rule::MisplacedMember,
                    message,
                );
            }
            Some(SchedulerType::Manual) if says("crontab") || says("loop") => {
                let message = "a manual job does not look at a plan; leave it out";
                self.find(subject, planned, Rule::MisplacedMember, message);
            }
            _ => {}
        }
        let Some(container) = spec.get("container") else {
            // Without a known scheduler nobody can tell.
            if kind.is_some_and(|kind| SchedulerType::KNOWN.contains(&kind)) {
                let message =
                    "\"container\" is missing: what the job runs in, as {type: 1U2G, count: 1}";
                self.find(subject, "", Rule::MissingMember, message);
            }
            return;
        };
        let cores = container.get("type").and_then(Tree::as_text);
        let cores = cores.and_then(JobContainer::cores);
        let count = match container.get("count").map(|count| &count.value) {
            Some(crate::tree::Value::Number(digits)) => digits.parse::<i64>().ok(),
            _ => None,
        };
        if let (Some(cores), Some(count)) = (cores, count)
            && cores.saturating_mul(count) > MAX_CORES
        {
            let message = format!(
                "{cores} cores {count} times are more than the {MAX_CORES} that a job may have"
            );
            self.find(subject, "container.count", Rule::OutOfRange, &message);
        }
    }

    /// It runs with the job that it reads from, and in the container of that.
    fn check_depending_job(&mut self, subject: &Subject<'_>, spec: &Spec<'_>) {
        let plan = spec.get("scheduler").and_then(|it| it.get("spec"));
        let own = [
            ("container", spec.get("container"), "container"),
            ("params", spec.get("params"), "params"),
            ("plan", plan, "scheduler.spec"),
        ];
        for (what, tree, steps) in own {
            let empty = |tree: &Tree| is_empty(tree) || tree.as_map().is_some_and(<[_]>::is_empty);
            if tree.is_some_and(|tree| !empty(tree)) {
                let message =
                    format!("a job that depends on another has no {what} of its own; leave it out");
                self.find(subject, steps, Rule::Contradiction, &message);
            }
        }
        let sources = spec.get("srcs").and_then(Tree::as_list);
        let Some(sources) = sources.filter(|sources| !sources.is_empty()) else {
            return;
        };
        let kind = sources[0].get("type").and_then(Tree::as_text);
        let is_job = kind.is_none_or(|kind| kind.eq_ignore_ascii_case("job"));
        if sources.len() > 1 || !is_job {
            let message = "a job that depends on another has one source, and that is a job";
            self.find(subject, "srcs", Rule::Contradiction, message);
        }
    }

    /// Whether what a job reads are the nodes that lead to it.
    fn check_sources(&mut self, subject: &Subject<'_>, spec: &Spec<'_>, parents: &[&NodeId]) {
        let Some(list) = spec.get("srcs").and_then(Tree::as_list) else {
            return;
        };
        let nodes = self.nodes;
        let mut read = HashSet::new();
        let mut all = true;
        for (index, source) in list.iter().enumerate() {
            let text = |name: &str| source.get(name).and_then(Tree::as_text);
            let kinds = [NodeType::Datasource, NodeType::Job];
            let kind = text("type").and_then(|text| {
                let mut kinds = kinds.iter();
                kinds.find(|kind| kind.as_str().eq_ignore_ascii_case(text))
            });
            let name =
                text("name").filter(|name| !name.is_empty() && !references::has_variable(name));
            let (Some(kind), Some(name)) = (kind, name) else {
                all = false;
                continue;
            };
            let id = NodeId::of(name, kind);
            if nodes.contains_key(&id) {
                if !parents.contains(&&id) {
                    let message =
                        format!("srcs names {id:?}, which is no parent; write parents: [{id}]");
                    let way = format!("srcs[{index}]");
                    self.find(subject, &way, Rule::EdgeMismatch, &message);
                }
                read.insert(id);
                continue;
            }
            all = false;
            let other = kinds
                .iter()
                .find(|other| nodes.contains_key(&NodeId::of(name, other)));
            let (member, message) = if let Some(other) = other {
                ("type", format!("{name:?} is a {other}, not a {kind}"))
            } else {
                let names = parents.iter().filter_map(|id| Some(id.parts()?.0));
                let near = suggest::nearest(name, names);
                let near =
                    near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
                ("name", format!("the workflow has no {kind} {name:?}{near}"))
            };
            let way = format!("srcs[{index}].{member}");
            self.find(subject, &way, Rule::UnknownSource, &message);
        }
        for parent in parents.iter().filter(|_| all && !list.is_empty()) {
            if !read.contains(*parent) {
                let message = format!("{parent:?} is a parent, but srcs does not name it");
                self.find(subject, "srcs", Rule::EdgeMismatch, &message);
            }
        }
    }

    /// A table must have another name than those of the jobs from which its job reads.
    fn check_tables(&mut self, subjects: &[Subject<'_>], parents: &Adjacency) {
        let mut users: HashMap<&str, Vec<(u32, usize)>> = HashMap::new();
        for (at, subject) in parents.positions().zip(subjects) {
            for (index, table) in tables(subject).into_iter().enumerate() {
                if let Some(table) = table {
                    users.entry(table).or_default().push((at, index));
                }
            }
        }
        let mut users: Vec<_> = users
            .into_iter()
            .filter(|(_, users)| users.len() > 1)
            .collect();
        users.sort_unstable();
        for (table, users) in users {
            for (at, index) in &users {
                let Some(above) =
                    ancestor(*at, parents, |at| users.iter().any(|user| user.0 == at))
                else {
                    continue;
                };
                let subject = &subjects[*at as usize];
                let message = format!(
                    "tableName {table:?} stands in {} already, from which this job reads",
                    subjects[above as usize].id
                );
                let way = format!("srcs[{index}].tableName");
                self.find(subject, &way, Rule::DuplicateName, &message);
            }
        }
    }
}

/// The tables of a job, one for each of its sources.
fn tables<'a>(subject: &'a Subject<'_>) -> Vec<Option<&'a str>> {
    if subject.node.node_type != NodeType::Job {
        return Vec::new();
    }
    let list = subject.spec().and_then(|spec| spec.get("srcs")?.as_list());
    let name = |source: &'a Tree| {
        let text = source.get("tableName").and_then(Tree::as_text);
        text.filter(|text| !text.is_empty() && !references::has_variable(text))
    };
    list.unwrap_or_default().iter().map(name).collect()
}

/// The first node above this one that is wanted.
fn ancestor(at: u32, parents: &Adjacency, wanted: impl Fn(u32) -> bool) -> Option<u32> {
    let mut seen = HashSet::from([at]);
    let mut waiting = vec![at];
    while let Some(at) = waiting.pop() {
        for parent in parents.of(at) {
            if seen.insert(*parent) {
                if wanted(*parent) {
                    return Some(*parent);
                }
                waiting.push(*parent);
            }
        }
    }
    None
}

/// Goes down a way such as `srcs[0].name`, as far as there is something.
fn descend(tree: &Tree, path: &mut Path, way: &str, found: &mut dyn FnMut(&Tree, &Path)) {
    let (step, rest) = way.split_once('.').unwrap_or((way, ""));
    let (name, index) = match step.trim_end_matches(']').split_once('[') {
        Some((name, index)) => (name, index.parse().ok()),
        None => (step, None),
    };
    let Some(next) = tree.get(name).filter(|_| !name.is_empty()) else {
        return found(tree, path);
    };
    let element = |index: usize| Some((index, next.as_list()?.get(index)?));
    path.in_member(name, |path| match index.map(element) {
        None => descend(next, path, rest, found),
        Some(None) => found(next, path),
        Some(Some((index, element))) => {
            path.in_element(index, |path| descend(element, path, rest, found));
        }
    });
}
