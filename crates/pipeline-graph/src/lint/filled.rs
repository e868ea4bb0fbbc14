//! Findings about a file with values of the environment in it, none of which they show.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::lint_file;
use crate::{
    file::Filled,
    finding::{Finding, Rule},
    references::{self, Piece},
    tree::Position,
};

impl Filled<'_> {
    /// Checks the file, as it is written and with its values. Findings come in the order of the text.
    pub fn lint(&self) -> Vec<Finding> {
        let mut findings = lint_file(self.written);
        let references = self.written.references();
        if !references.is_empty() {
            let known: HashSet<_> = findings.iter().map(identity).collect();
            let filled = lint_file(&self.file).into_iter().filter(|finding| {
                // Secrets belong into the environment.
                finding.rule != Rule::SecretInClear && !known.contains(&identity(finding))
            });
            let filled: Vec<Finding> = filled.map(|it| discreet(it, &references)).collect();
            drop(known);
            findings.extend(filled);
        }
        findings.extend(self.faults());
        findings.sort_by(|a, b| (a.position, a.rule, &a.path).cmp(&(b.position, b.rule, &b.path)));
        findings
    }
}

/// What makes a finding the same one. A message that was made without values is safe to show.
fn identity(finding: &Finding) -> (Rule, &str, &str, Option<Position>) {
    let Finding {
        rule,
        message,
        path,
        position,
        ..
    } = finding;
    (*rule, message, path, *position)
}

/// A finding that comes up with the values only: its own words may show one.
fn discreet(mut finding: Finding, references: &HashMap<Position, &str>) -> Finding {
    let text = finding.position.and_then(|at| references.get(&at));
    let names: BTreeSet<String> = references::pieces(text.copied().unwrap_or_default())
        .filter_map(|piece| match piece {
            Piece::Variable(name) => Some(format!("${{{name}}}")),
            _ => None,
        })
        .collect();
    let what = match names.len() {
        0 => "all variables are".to_owned(),
        1 => names.into_iter().collect::<String>() + " is",
        _ => names.into_iter().collect::<Vec<_>>().join(", ") + " are",
    };
    finding.message = format!("once {what} filled in: {}", finding.rule.meaning());
    finding
}
