mod lines;

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

use clap::{Args, ValueEnum};
use pipeline_emulator::{
    Account, Authentication, DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_ACCOUNT, DEVELOPMENT_SECRET_KEY,
    Emulator, RecordedRequest, Transition,
    server::{Server, StateFile},
};
use pipeline_proto::Now;
use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM};
use tokio::sync::oneshot;

use super::workflow::source::from_file;
use crate::{
    duration,
    exit::Exit,
    failure::Failure,
    options::Global,
    output::{self, note, plain},
    settings::RawKeys,
    signals,
};
use lines::Lines;

/// Run an emulator of the service on this machine
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline emulator
  pipeline emulator --listen 127.0.0.1:8080 --log
  pipeline emulator --auth off --transition 2s
  pipeline emulator --seed clicks.yaml --state dev.state --admin

The first line on stdout is a JSON object with the URL, for programs that start it:
  {\"ready\":true,\"url\":\"http://127.0.0.1:40123\",\"access_key\":\"…\",\"auth\":\"strict\",…}
Its account has the keys of PANDORA_ACCESS_KEY and PANDORA_SECRET_KEY, else development keys, which \
stand in that line. Without --state, workflows are kept in memory until it ends, by Ctrl-C or \
SIGTERM, with code 0. A state file that is there already takes the place of --seed.")]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
pub(crate) struct EmulatorCommand {
    /// Address and port; the system chooses a free one for port 0
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Whether signatures and tokens are checked
    #[arg(long, value_name = "MODE", value_enum, default_value_t)]
    auth: AuthMode,

    /// How long starts and stops take
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "250ms")]
    transition: Duration,

    /// How long the repo that a transform makes is being made: E18124
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "0s")]
    destination_delay: Duration,

    /// How long pushes go by the schema before an update, and a new field is E18111; some 6s at the service
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "0s")]
    schema_delay: Duration,

    /// Most fields of a schema, beyond which it is E18134; any number without
    #[arg(long, value_name = "NUMBER")]
    max_fields: Option<usize>,

    /// Most repos of a workflow, beyond which they are E18652; any number without
    #[arg(long, value_name = "NUMBER")]
    max_repos: Option<usize>,

    /// Most characters of a description, beyond which it is E18136 or E18137; any number without
    #[arg(long, value_name = "NUMBER")]
    max_description: Option<usize>,

    /// Let http exports to loopback addresses deliver what is pushed from now on
    #[arg(long)]
    deliver: bool,

    /// Region that exists, instead of any; may be repeated
    #[arg(long, value_name = "REGION")]
    region: Vec<String>,

    /// Further account that X-Resource-Owner may name; may be repeated
    #[arg(long, value_name = "ID")]
    account: Vec<String>,

    /// Let X-Resource-Owner name accounts that do not exist, as recorded requests do; they mean the caller's
    #[arg(long)]
    any_owner: bool,

    /// Let pages of this origin, such as http://localhost:3000, read responses; '*' for any; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    cors: Vec<String>,

    /// Workflow file to begin with; nodes of one without a name belong to no workflow; may be repeated
    #[arg(long, value_name = "FILE")]
    seed: Vec<PathBuf>,

    /// Keep the workflows in this file: no answered change is lost, however it ends
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Serve the admin interface under /_emulator/: faults, transitions, clock, request log
    #[arg(long)]
    admin: bool,

    /// Name under which the admin interface may be reached beside those of the loopback; may be repeated
    #[arg(long, value_name = "HOST", requires = "admin")]
    admin_host: Vec<String>,

    /// Where the sequence of request ids starts
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    request_id_seed: u64,

    /// Write a line to stderr for each request
    #[arg(long)]
    log: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum AuthMode {
    /// As the service does
    #[default]
    Strict,
    /// Nothing is checked
    Off,
}

/// The first line on stdout.
#[derive(Serialize)]
struct FirstLine<'a> {
    ready: bool,
    url: String,
    auth: AuthMode,
    account: &'a str,
    access_key: &'a str,
    /// Of the development keys only.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_key: Option<&'a str>,
    /// If the admin interface was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_url: Option<String>,
}

impl EmulatorCommand {
    /// Says what others on the network may do.
    fn warn(&self) {
        if self.listen.ip().is_loopback() {
            return;
        }
        let open = [
            (self.admin, "--admin lets them change and reset everything"),
            (
                self.auth == AuthMode::Off,
                "--auth off lets them do so without a key",
            ),
        ];
        for (_, what) in open.into_iter().filter(|(is_open, _)| *is_open) {
            note(format_args!(
                "warning: {} can be reached from other machines, and {what}",
                self.listen
            ));
        }
    }

    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        self.warn();
        let (account, access_key, secret_key) = account(global)?;
        let mut builder = Emulator::builder()
            .account(account)
            .authentication(match self.auth {
                AuthMode::Strict => Authentication::Strict,
                AuthMode::Off => Authentication::Off,
            })
            .transitions(if self.transition.is_zero() {
                Transition::Immediate
            } else {
                Transition::After(self.transition)
            })
            .destination_delay(self.destination_delay)
            .schema_delay(self.schema_delay)
            .max_fields(self.max_fields.unwrap_or(usize::MAX))
            .max_repos(self.max_repos.unwrap_or(usize::MAX))
            .max_description(self.max_description.unwrap_or(usize::MAX))
            .seed(self.request_id_seed);
        if !self.region.is_empty() {
            builder = builder.regions(self.region);
        }
        for id in self.account {
            builder = builder.account(Account::new(id));
        }
        if self.deliver {
            builder = builder.deliver();
        }
        if self.any_owner {
            builder = builder.any_owner();
        }
        for origin in &self.cors {
            let refused = |why| Failure::usage(format!("--cors {origin}: {why}"));
            builder = builder.cors_origin(origin).map_err(refused)?;
        }
        for name in &self.admin_host {
            builder = builder.admin_host(name);
        }
        let mut emulator = builder.build();
        let origin = Instant::now();
        let now = Now::new(SystemTime::now(), origin.elapsed());
        for path in &self.seed {
            let definition = from_file(path)?;
            let added = if definition.name.is_empty() {
                emulator.add_resources(DEVELOPMENT_ACCOUNT, &definition, now)
            } else {
                emulator.add_workflow(DEVELOPMENT_ACCOUNT, &definition, now)
            };
            added.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        }
        let state = match &self.state {
            Some(path) => {
                Some(StateFile::open(path).map_err(|error| Failure::new(Exit::Service, error))?)
            }
            None => None,
        };
        let failed = |error: io::Error| Failure::io("the emulator cannot be started", &error);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        runtime.block_on(async {
            let ended = ended().map_err(failed)?;
            let lines = Lines::to_stderr().map_err(failed)?;
            let server = Server::bind(self.listen)
                .and_then(|mut server| {
                    if self.admin {
                        server = server.admin();
                    }
                    if let Some(file) = state {
                        let lines = lines.clone();
                        server = server
                            .state(file)
                            .on_state_event(move |event| lines.say(format!("warning: {event}")));
                    }
                    if self.log {
                        let lines = lines.clone();
                        server = server.on_request(move |request| lines.say(line(request)));
                    }
                    server.start(emulator)
                })
                .map_err(|error| {
                    Failure::io(&format!("cannot listen on {}", self.listen), &error)
                })?;
            let ready = FirstLine {
                ready: true,
                url: server.url(),
                auth: self.auth,
                account: DEVELOPMENT_ACCOUNT,
                access_key: &access_key,
                secret_key,
                admin_url: server.admin_url(),
            };
            announce(&ready, self.deliver)?;
            let _ = ended.await;
            let kept = server.shutdown().await;
            let exit = match &kept {
                Ok(()) => Exit::Done,
                // Whoever has stopped to read must not hold the end up, so that this is no failure to
                // be printed.
                Err(error) => {
                    lines.say(format!("error: {error}"));
                    Exit::Service
                }
            };
            lines.finish();
            Ok(exit)
        })
    }
}

/// The account of the emulator, its access key, and its secret key if that is no secret. A key that was
/// given is wiped when this returns: the account keeps what verifies signatures.
fn account(global: &Global) -> Result<(Account, String, Option<&'static str>), Failure> {
    Ok(match global.raw_keys()? {
        Some(RawKeys {
            access_key,
            secret_key,
        }) => (
            Account::new(DEVELOPMENT_ACCOUNT).key(access_key.as_str(), secret_key.as_bytes()),
            access_key.to_string(),
            None,
        ),
        None => (
            Account::development(),
            DEVELOPMENT_ACCESS_KEY.to_owned(),
            Some(DEVELOPMENT_SECRET_KEY),
        ),
    })
}

/// The first line on stderr: whoever waits for the results of a transform waits in vain.
const NOT_EXECUTED: &str = "note: transforms, exports and jobs are kept and checked, but not executed: data stay in the \
                            queue that they are pushed into";

const DELIVERED: &str =
    "note: but exports of type http deliver to loopback addresses what is pushed from now on";

fn announce(ready: &FirstLine<'_>, delivers: bool) -> Result<(), Failure> {
    note(NOT_EXECUTED);
    if delivers {
        note(DELIVERED);
    }
    let line = serde_json::to_string(ready).map_err(|error| Failure::new(Exit::Service, error))?;
    output::raw(format!("{line}\n").as_bytes())?;
    if crate::terminal::is_watched() {
        note(format_args!(
            "\nTo use it from another terminal:\n\n  export PANDORA_ENDPOINT={}\n  export PANDORA_ACCESS_KEY={}\n  export PANDORA_SECRET_KEY={}\n  pipeline workflow list\n\nCtrl-C ends it.",
            ready.url,
            ready.access_key,
            ready.secret_key.unwrap_or("…")
        ));
    }
    Ok(())
}

fn line(request: &RecordedRequest) -> String {
    let target = request.uri.path_and_query().map_or("", |it| it.as_str());
    format!(
        "{}  {}  {} {}  {} bytes  request {}",
        httpdate::fmt_http_date(request.at.wall),
        request.status.as_u16(),
        request.method,
        plain(target),
        request.body_length,
        request.request_id
    )
}

/// Ctrl-C, or the polite signal to end.
fn ended() -> io::Result<oneshot::Receiver<()>> {
    let first = signals::listen(&[SIGINT, SIGTERM])?;
    let (tell, told) = oneshot::channel();
    // Nobody waits for it if the emulator does not even begin.
    std::thread::Builder::new().spawn(move || {
        first();
        let _ = tell.send(());
    })?;
    Ok(told)
}
