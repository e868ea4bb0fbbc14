//! An emulator of Qiniu's Pandora *pipeline* service, for tests and for trying things out.
//!
//! [`Emulator::handle`] is the service as a function: a request and a moment in, a response out, with
//! the service's rules, error codes and signatures. It does no IO and reads no clock, so five lines
//! of any test can use it, and time passes only when the test says so. With the feature `server`,
//! on by default, [`server`] puts it behind a port.
//!
//! ```
//! use bytes::Bytes;
//! use http::Request;
//! use pipeline_emulator::{Authentication, Emulator};
//! use pipeline_proto::Now;
//! use std::time::{Duration, SystemTime};
//!
//! let mut emulator = Emulator::builder().authentication(Authentication::Off).build();
//! let now = Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO);
//! let get = Request::get("/v2/workflows/logs").body(Bytes::new())?;
//! let answer = emulator.handle(get, now);
//! assert_eq!(answer.status(), 404);
//! assert_eq!(answer.body(), r#"{"error":"E18641: the workflow does not exist: \"logs\""}"#);
//! # Ok::<(), http::Error>(())
//! ```
//!
//! # What it does where the sources are silent
//!
//! Of workflows the API page describes six operations and no states; the vendor's clients show three
//! operations more. Where neither says what the service does, the emulator does this:
//!
//! | question | reading |
//! |---|---|
//! | order of the checks | `Host` (400, on a socket), path and method (404, 405), length (411, 400, 413), caller (401), owner (E18664), digest (E18220), name (E18639), body, workflow (E18641), state, graph |
//! | `Content-Length` on POST and PUT | required; a chunked body gets 411 like a missing length |
//! | bad digest in `Content-MD5` | 400 E18220, the code of plugin uploads |
//! | status of E18643, E18646, E18650, E18653 | 400; of E18664 404 |
//! | start without anything to run | E18650 in a state that allows a start, else E18644 |
//! | start in `Starting`, `Started`, `Stopping`; stop anywhere but in `Started` | E18644; E18645 |
//! | update without `nodes`, or with `null` | accepted, the nodes stay; `{}` removes them all |
//! | update with another region | E18642; a missing or unknown region as well |
//! | update with a comment, unknown members of a body | ignored; those of a node are kept |
//! | delete | in every state, nodes included |
//! | a name in the body | may be missing; if it differs from the path, E18642 |
//! | JSON nested more than 100 levels deep | E18007 |
//! | a comment above 10,000 characters | E18008 |
//! | `createTime`, `updateTime` | RFC 3339 in UTC, whole seconds; only create and update set them |
//! | list | a JSON array by name, without `nodes` |
//! | status of a node | that of its workflow |
//! | search | the workflow's own history; bounds in milliseconds, both ends included; ten entries unless `size` says otherwise, a thousand at most, the latest first |
//! | a path that it does not have | 404 E9001, the code of a call that a server does not implement |
//! | `X-Resource-Owner` | the id of an account; any account may act for any other. An unknown id is E18664, or with [`any_owner`](EmulatorBuilder::any_owner) the caller |
//! | a token's `resource` | the path, or path and query, as sent or decoded |
//! | 15 minutes, a token's expiry | counted in whole seconds; the last second is still good |
//! | trailing slash | an empty name, E18639 |
//!
//! Of all other resources it keeps the definitions, and checks them; nothing is computed. Data that are pushed
//! are checked and counted, and the latest of each queue are kept: a hundred records, 256 KiB at most. The nodes
//! of a workflow are the resources that belong to it, whether they came in its graph or one by one; its edges are
//! what these read from and write to. What the sources leave open about them:
//!
//! | question | reading |
//! |---|---|
//! | a region that is missing or unknown | E18212 |
//! | a schema that is no list of objects, or more than five maps deep | E18109 |
//! | a field that is there twice | E18104, as the vendor's client reads it |
//! | update of a repo without a member but `schema` | it stays as it is; a field whose type changes is E18128 |
//! | a repo with a workflow | the workflow must be there (E18641); `fromDag`, and shown in lists with `withDag` only |
//! | the data of a node | shown as it was sent until its own call changes it. Members that it leaves out are not asked for; what it has is judged as in its own call: against what it reads, with the codes of that call, and of what is there already as an update: E18128, E18660 |
//! | what a job of a graph reads | has to be in the graph or outside of the workflow, E18612; what the workflow had and the graph has not is gone |
//! | a node that has the name of a resource outside of the workflow | E18101 and the like; of two transforms (exports, …) of one name in one workflow the second is refused so as well |
//! | a node of another type than the six, or one that does not hang on exactly one other where its path needs that | E18646; a transform with several sources E18108 |
//! | a workflow with the name of a repo or a data source | E18661; the other way round it may be |
//! | a transform from one workflow into a repo of another, or of none | E18646 |
//! | scheduled and manual work that come one by one | E18653 for the second |
//! | a list with `sourceType=authorized` | empty |
//! | the name of a transform that is not legal | E18207 |
//! | the destination of a transform | made with `destrepo`, else with the source's schema, and goes with the transform; one that is there is used and stays, unless another transform fills it, E18205. While it is [being made](EmulatorBuilder::destination_delay), all that names it but a create is E18124 |
//! | SQL | E18209 if there is nothing but comments, or a statement that changes something; of a job E18618 |
//! | update of a transform whose plugin gives out less, or other types | E18660; a `destrepo` with fewer fields than a plugin without SQL gives out is E18230 |
//! | `derivedFrom` | the transform that made the repo |
//! | a push | all of it or nothing. The place of what is wrong stands behind the code: E18110 for a value that is not of its type, or a required field that is missing; E18111, E18104, E18007 for what is no `key=value` or no UTF-8, E18006 without a record |
//! | values of points | `long` of 64 bits, `float` finite, `date` of RFC 3339 with `T` and zone; arrays and maps as JSON of their declared types, a map without fields of any; no empty text but in a `string` |
//! | blank lines, the last line feed | ignored; a carriage return belongs to the value |
//! | gzip | for points only; E18125 if it is damaged or another coding, E18005 above the size of a body when unpacked |
//! | tags | fields of every record, where the schema has them and the record does not; others are dropped. E18138 |
//! | lines, raw text with rules | kept and counted as they are: no rule is applied |
//! | raw text | without rules it has to be points. Refusals stand in a body of status 200, but for those that come before the name |
//! | the schema | is valid for pushes at once, unless a [delay](EmulatorBuilder::schema_delay) is set: until it has passed, pushes go by the one before, and a new field is E18111 |
//! | limits that no source has a number for | [none](EmulatorBuilder::max_fields) unless they are set: E18134 for the fields of a schema, those of each map by themselves; E18652 for the repos of a workflow, E18136 and E18137 for descriptions |
//! | sample | the latest records, up to ten, as the schema has their types now; `unescapeLine` restores tabs and line feeds. `count` that is no number above 0 is 400 |
//! | `withTimestamp`, `withIP` | the time of receipt is added to points, the address is not |
//! | delete of a repo, a data source, a job | E18112, E18603, E18608 while something reads from it; of a repo E18206 while a transform fills it |
//! | members of a body that are `null` | missing |
//! | a `destrepo` that is not legal | E18229 |
//! | the name or spec of an export that is not legal | E18305, unless there is a code for it: E18312 for a field that the repo lacks, E18322 for the type, E18330 for csv without delimiter, E18331, E18334 without `destRepoName`; E18310 for host and path, E18313 and E18335 for the name behind a `#`, E18319 for an empty target, E18320 for a character in a prefix, E18328 for a tag, E18324 and E18325 for a timestamp that is no field or cannot be a time |
//! | the destination of an export | not looked up. Nothing is sent, but for `http` exports that are told to [deliver](EmulatorBuilder::deliver): to loopback addresses over `http`, what is pushed from then on, once; points as they were taken in one request with `text/plain`, or each record as an object in a request of its own with `application/json` |
//! | an export without `whence` | shown without |
//! | what belongs to a workflow, by `workflow` or by what it reads from | made, changed and deleted only while that does not run, E18643; gone with it |
//! | a data source whose spec is not legal | E18614; E18330 for csv without delimiter, E18638 for a character in a prefix; of a schema as of that of a repo; one that loses a field is E18128 |
//! | variables in the spec of a `fusion` data source | have to be there (E18705) and times (E18704) |
//! | the schema of files | `text` of texts; of others that of a data source with the same type and spec, else E18620: there are no files |
//! | a job whose spec is not legal | E18614; E18612 for its sources, E18613 for their tables, those of sources of sources included, E18618 for SQL that is empty, E18657 and E18019 for a variable in it or in a filter that is neither the account's nor the system's nor a parameter, E18213, E18214 |
//! | the export of a job that is not legal | E18651; E18322, E18330, E18334, E18638 |
//! | start and stop of a job | E18621 unless it is idle, E18622 unless it is started; E18663 in a workflow; a value for a parameter that it lacks is E18607 |
//! | the status of a job or a group | that of its container: `Ready`, then as of a workflow. A group that is started already takes another start |
//! | runs of a job | take the time of a manual run, and begin and are stopped with the transitions that are set, where `AfterReads` means at once and a start that falls back a run that fails. A loop runs again after its pause, what depends on a job after each of its successful runs; a plan in cron text is not carried out: such a job has one run with each start. In a workflow, all by the times at which that is started. The latest hundred are kept |
//! | history | the latest run first; all of it without `size` |
//! | `rerunCount` | how often that run was run again |
//! | `createTime` and the like of groups | as of workflows |
//! | a group | E18213, E18214, E18222 for its region; E18215 while a repo is in it. A repo whose group is elsewhere is E18222 |
//! | a time variable | `$(now)` with at most one `-5d`, `-5h` or `-5m` behind it, else E18018; a format of the letters that Java has for times, else E18658 |
//! | a jar of another length than `Content-Length` says | E18219 |
//! | a plugin | any bytes are taken; verified, E18617 unless the jar has the class that it is named after, and no output fields, which only Java could tell |
//! | jars | 100 MiB, whatever other bodies may have; of their classes is kept what they are derived from, and nothing of the bytes |
//! | a class of a function | has to be in the jar (E18632) and derived, as far as the jar shows, from one of Hive's for functions (E18631); from `UDF`, with a method `evaluate` (E18633) |
//! | delete of a jar of functions | its functions go with it |
//! | a description of more than 1,500 bytes | E18008 |
//! | built-in functions | some forty of Hive's; a function cannot have the name of one, E18637 |
//! | debugging an expression | 400 without a code if it is none, E18634 for a function that is not there, else E9001: no Java runs |
//! | `from`, `size`, `sort`, `page` that are no numbers or columns | 400 without a code |
//! | system variables | are shown, and are E18656 for everything else |

#![cfg_attr(docsrs, feature(doc_cfg))]

mod account;
mod admin;
mod auth;
mod body;
mod call;
mod clock_skew;
mod data;
mod date;
mod delivery;
mod emulator;
mod escape;
mod fault;
mod id;
mod item;
mod network;
mod refusal;
mod request_log;
mod resource;
mod route;
mod rules;
mod seed;
#[cfg(feature = "server")]
pub mod server;
mod sister;
mod snapshot;
mod state;
#[cfg(test)]
mod testing;
mod transition;
mod web;
mod workflow;

/// The code in the guide works.
#[cfg(all(doctest, feature = "server"))]
#[doc = include_str!("../../../docs/testing-with-the-emulator.md")]
mod guide {}

pub use account::{Account, DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_ACCOUNT, DEVELOPMENT_SECRET_KEY};
pub use auth::Authentication;
pub use clock_skew::ClockSkew;
pub use delivery::{Delivery, DeliveryReport};
pub use emulator::{Emulator, EmulatorBuilder, PushedData, SeedError};
pub use fault::{FaultReport, InjectedFault, UnknownOperation};
pub use network::{Interruption, NetworkFault};
pub use request_log::RecordedRequest;
pub use snapshot::Snapshot;
pub use transition::Transition;
