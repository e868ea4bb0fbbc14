//! Waiting for something to be started, stopped or gone, and bringing it there, as a state machine
//! that does no IO.
//!
//! What can be waited for is a [`Watch`]: a workflow, a job or a group by its name, and a [`JobRun`].
//!
//! [`Waiter::until`] only looks; [`Waiter::ensure`] also starts or stops. Either way there is one
//! deadline, computed once. The machine says what to do next, the driver does it and says what came
//! of it:
//!
//! ```
//! use pipeline_proto::wait::{Goal, Observation, Step, WaitError, WaitOptions, Waiter};
//! use pipeline_proto::{Error, Now, Operation, WorkflowName};
//! use std::time::Duration;
//!
//! trait Client {
//!     fn send<O: Operation>(&self, operation: O) -> Result<O::Output, Error>;
//! }
//!
//! fn drive(
//!     client: &impl Client,
//!     name: WorkflowName,
//!     sleep: impl Fn(Duration),
//!     now: impl Fn() -> Now,
//! ) -> Result<Observation, WaitError> {
//!     let mut step = Waiter::ensure(name, Goal::Started, WaitOptions::default(), now());
//!     loop {
//!         step = match step {
//!             Step::Send(due) => {
//!                 let result = client.send(due.operation());
//!                 due.on_result(result, now())
//!             }
//!             Step::Pause(pause) => {
//!                 println!("{}", pause.observation());
//!                 sleep(pause.delay());
//!                 pause.resume()
//!             }
//!             Step::Done(result) => return result,
//!         };
//!     }
//! }
//! ```

mod failure;
mod machine;
mod options;
mod resources;
mod watch;

pub use failure::{WaitError, WaitFailure};
pub use machine::{Due, Observation, Pause, Step, Waiter};
pub use options::{Goal, WaitOptions};
pub use resources::JobRun;
pub use watch::{Ask, Progress, Watch};
