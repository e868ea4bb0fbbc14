use clap::Args;
use serde::Serialize;

use super::{
    Noun,
    selector::{self, Selector},
    targets::{fitting, no_match, parse_name},
};
use crate::{
    exit::Exit,
    failure::Failure,
    lang::pick,
    options::Global,
    output::{self, Show, Table, note},
};

#[derive(Debug, Args)]
pub(crate) struct List<N: Noun> {
    #[arg(
        value_name = "NAME",
        value_parser = parse_name::<N>,
        help = format!("Only the {} of these names", N::MANY)
    )]
    names: Vec<N::Name>,

    #[arg(
        short = 'l',
        long,
        value_name = "SELECTOR",
        conflicts_with = "names",
        help = selector::help(N::MANY, N::SELECTOR),
        long_help = selector::long_help(&selector::help(N::MANY, N::SELECTOR), N::KEYS)
    )]
    selector: Option<Selector<N>>,
}

impl<N: Noun> List<N> {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Self { names, selector } = self;
        let mut things = fitting(&global.remote()?, selector.as_ref())?;
        match &selector {
            Some(selector) if things.is_empty() => {
                note(no_match(selector));
            }
            None if things.is_empty() && names.is_empty() => {
                note(pick(
                    format!("there are no {}; make one with: {}", N::MANY, N::MADE_BY),
                    format!("没有{}；创建一个：{}", N::CHINESE, N::MADE_BY),
                ));
            }
            _ => {}
        }
        let mut exit = Exit::Done;
        if !names.is_empty() {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            for name in &names {
                if !things.iter().any(|thing| thing.name() == name) {
                    output::report(&pick(
                        format!("{name}: there is no such {}", N::ONE),
                        format!("{name}：没有这个{}", N::CHINESE),
                    ));
                    exit = Exit::NotFound;
                }
            }
            things.retain(|thing| names.iter().any(|name| thing.name() == name));
        }
        global.format().write(&Things(things))?;
        Ok(exit)
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Things<N>(Vec<N>);

impl<N: Noun> Show for Things<N> {
    fn names(&self) -> Vec<&str> {
        self.0.iter().map(Noun::name).collect()
    }

    fn table(&self) -> String {
        self.columns(false)
    }

    fn wide(&self) -> String {
        self.columns(true)
    }
}

impl<N: Noun> Things<N> {
    fn columns(&self, wide: bool) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let columns = || N::COLUMNS.iter().filter(|column| wide || !column.wide);
        let headings: Vec<&str> = columns().map(|column| column.heading).collect();
        let mut table = Table::new(&headings);
        for thing in &self.0 {
            table.row(columns().map(|column| (column.cell)(thing)));
        }
        table.render()
    }
}
