use clap::Args;

use super::{Noun, Outcome, Targets, listed};
use crate::{exit::Exit, failure::Failure, options::Global, terminal};

#[derive(Debug, Args)]
pub(crate) struct Delete<N: Noun> {
    #[command(flatten)]
    targets: Targets<N>,
}

impl<N: Noun> Delete<N> {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let remote = global.remote()?;
        let chosen = self.targets.chosen(&remote)?;
        let along = |whose: &str| match N::GOES_ALONG {
            "" => String::new(),
            along => format!(" with {whose} {along}"),
        };
        let question = match chosen.names.as_slice() {
            [] => String::new(),
            [name] => format!("Delete {name}{}?", along("its")),
            names => format!(
                "Delete {} {}{}: {}?",
                names.len(),
                N::MANY,
                along("their"),
                listed(names)
            ),
        };
        terminal::confirm(&question, global.yes || chosen.names.is_empty())?;
        chosen.act(global, "deleted", |name, _| {
            N::delete(&remote, name)?;
            Ok(Outcome::new(name, "deleted"))
        })
    }
}
