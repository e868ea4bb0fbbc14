//! A call under way: which state of the core it holds, and what it waits for.

use std::{cell::RefCell, net::SocketAddr, rc::Rc, time::Duration};

use pipeline_proto::{Attempt, Backoff, Call, Error, InFlight, Next, Operation};

use crate::{exchange::Exchange, runtime::Clock};

type Slot<T> = Rc<RefCell<Option<Result<T, Error>>>>;

/// Where the result of a call will be.
#[derive(Debug)]
pub struct Handle<T>(Slot<T>);

impl<T> Handle<T> {
    /// The result, once; `None` while the call is under way.
    pub fn take(&self) -> Option<Result<T, Error>> {
        self.0.borrow_mut().take()
    }
}

/// What the loop knows of a call, whatever its operation.
pub(crate) trait Task {
    /// Goes as far as it can without waiting. Whether the call has ended.
    fn advance(&mut self, address: SocketAddr, clock: &Clock) -> bool;
}

/// A call of one operation.
pub(crate) struct Running<O: Operation> {
    state: Option<State<O>>,
    result: Slot<O::Output>,
}

enum State<O: Operation> {
    /// To be sent when its turn comes. Nothing is dated or signed yet.
    New(Call<O>),
    /// A response is awaited, until this moment of the monotonic clock.
    InFlight(InFlight<O>, Exchange, Duration),
    /// To be sent again at this moment.
    Waiting(Backoff<O>, Duration),
    Ended(Result<O::Output, Error>),
}

impl<O: Operation> Running<O> {
    pub(crate) fn new(call: Call<O>) -> (Self, Handle<O::Output>) {
        let result = Rc::default();
        let handle = Handle(Rc::clone(&result));
        let state = Some(State::New(call));
        (Self { state, result }, handle)
    }
}

impl<O: Operation> Task for Running<O> {
    fn advance(&mut self, address: SocketAddr, clock: &Clock) -> bool {
        match self.state.take().map(|state| state.advance(address, clock)) {
            Some(State::Ended(result)) => *self.result.borrow_mut() = Some(result),
            state => self.state = state,
        }
        self.state.is_none()
    }
}

impl<O: Operation> State<O> {
    fn send(attempt: Attempt<O>, address: SocketAddr, clock: &Clock) -> Self {
        let (request, in_flight) = attempt.send();
        let timeout = in_flight.timeout();
        let until = clock.now().mono.saturating_add(timeout);
        match Exchange::begin(address, &request, timeout) {
            Ok(exchange) => Self::InFlight(in_flight, exchange, until),
            Err(fault) => Self::after(in_flight.on_fault(fault, clock.now()), clock),
        }
    }

    /// The state that follows from this one, or the same one if its time has not come.
    fn advance(self, address: SocketAddr, clock: &Clock) -> Self {
        match self {
            Self::New(call) => Self::send(call.start(clock.now()), address, clock),
            Self::InFlight(in_flight, mut exchange, until) => {
                let now = clock.now();
                match exchange.advance() {
                    Some(Ok(response)) => Self::after(in_flight.on_response(response, now), clock),
                    Some(Err(fault)) => Self::after(in_flight.on_fault(fault, now), clock),
                    None if now.mono >= until => {
                        let fault = exchange.timed_out();
                        Self::after(in_flight.on_fault(fault, now), clock)
                    }
                    None => Self::InFlight(in_flight, exchange, until),
                }
            }
            Self::Waiting(backoff, until) if clock.now().mono < until => {
                Self::Waiting(backoff, until)
            }
            Self::Waiting(backoff, _) => match backoff.resume(clock.now()) {
                Ok(attempt) => Self::send(attempt, address, clock),
                Err(error) => Self::Ended(Err(error)),
            },
            Self::Ended(result) => Self::Ended(result),
        }
    }

    /// What the core wants next.
    fn after(next: Next<O>, clock: &Clock) -> Self {
        match next {
            Next::Done(result) => Self::Ended(result),
            Next::Retry(backoff) => {
                let until = clock.now().mono.saturating_add(backoff.delay());
                Self::Waiting(backoff, until)
            }
        }
    }
}
