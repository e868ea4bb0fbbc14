//! `pipeline completions`, and the answers to shells that complete a line.
//!
//! The script that a shell reads calls this very program with `COMPLETE` set and the words of the
//! line so far. Nothing of this runs without that variable.

mod values;

use std::{
    env,
    ffi::{OsStr, OsString},
    path::Path,
};

use clap::{Args, builder::PossibleValuesParser};
use clap_complete::env::{CompleteEnv, Shells};

use super::tree;
use crate::{exit::Exit, failure::Failure, output, variables::own_variable};

/// The variable by which a shell asks.
const VARIABLE: &str = "COMPLETE";

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "elvish", "powershell"];

/// Print the script that lets a shell complete commands, options and names of workflows
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline completions bash > /tmp/pipeline.bash && source /tmp/pipeline.bash

For every session, load it where the shell starts:
  bash        echo 'source <(pipeline completions bash)' >> ~/.bashrc
  zsh         echo 'source <(pipeline completions zsh)' >> ~/.zshrc
              below the line with compinit
  fish        echo 'pipeline completions fish | source' > ~/.config/fish/completions/pipeline.fish
  elvish      echo 'eval (pipeline completions elvish | slurp)' >> ~/.config/elvish/rc.elv
  powershell  Add-Content $PROFILE 'pipeline completions powershell | Out-String | Invoke-Expression'

The script fits this version of the command; loaded in this way it is always the right one.

Names of workflows come from the service, with the credentials of the environment or the profile and the \
options that are in the line already. No names are offered if the service does not answer within two \
seconds, if there are no credentials, or if only a credential_process has them: it might ask for a \
password.")]
pub(crate) struct Completions {
    /// Shell that will read the script
    #[arg(value_parser = PossibleValuesParser::new(SHELLS))]
    shell: String,
}

impl Completions {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let shells = Shells::builtins();
        let shell = shells
            .completer(&self.shell)
            .ok_or_else(|| Failure::usage(format!("there is no script for {}", self.shell)))?;
        let mut script = Vec::new();
        let name = "pipeline";
        shell
            .write_registration(VARIABLE, name, name, &this_program(), &mut script)
            .map_err(|error| Failure::io("the script", &error))?;
        output::raw(&script)?;
        Ok(Exit::Done)
    }
}

/// How the script finds this program again: by its name if it was found by that, else by its path.
fn this_program() -> String {
    let typed = env::args_os().next().unwrap_or_else(|| "pipeline".into());
    let path = Path::new(&typed);
    let path = if path.components().count() > 1 {
        std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
    } else {
        path.to_owned()
    };
    path.to_string_lossy().into_owned()
}

/// Answers if it is a shell that asks.
pub(crate) fn answer() -> Option<Result<Exit, Failure>> {
    let shell = own_variable(VARIABLE)?;
    // The variable may mean something else to somebody.
    let shell = Path::new(&shell).file_stem()?.to_str()?;
    Shells::builtins().completer(shell)?;
    let arguments: Vec<OsString> = env::args_os().collect();
    if arguments.is_empty() {
        return None;
    }
    let folder = env::current_dir().ok();
    let line = typed(&arguments);
    let command = || values::offer(tree(), &line);
    let answered = CompleteEnv::with_factory(command).try_complete(arguments, folder.as_deref());
    // Whatever was said would stand in the middle of the line that is being typed.
    let exit = if answered.is_ok() {
        Exit::Done
    } else {
        Exit::Usage
    };
    Some(Ok(exit))
}

/// The words of the line before the one that is completed, the name of the program first.
fn typed(arguments: &[OsString]) -> Vec<OsString> {
    let words = arguments.iter().skip_while(|word| *word != "--").skip(1);
    let words: Vec<OsString> = words.cloned().collect();
    // Shells that do not say where the cursor is send the line up to there.
    let last = words.len().saturating_sub(1);
    let at = own_variable("_CLAP_COMPLETE_INDEX");
    let at = at.as_deref().and_then(OsStr::to_str);
    let at = at.and_then(|at| at.parse().ok()).unwrap_or(last);
    words.into_iter().take(at).collect()
}
