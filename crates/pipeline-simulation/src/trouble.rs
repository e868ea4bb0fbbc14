use std::fmt;

macro_rules! troubles {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What can go wrong in a run.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Trouble {
            $($(#[$doc])* $name,)*
        }

        impl Trouble {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// A few words for it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

troubles! {
    /// The connection is refused: the request was not sent.
    Refused = "connection refused",
    /// The connection takes too long: the request was not sent.
    ConnectTimeout = "connecting timed out",
    /// The request gets lost; the client hears nothing.
    RequestLost = "request lost",
    /// The connection breaks while the request is being sent.
    RequestBroken = "connection broke before the request arrived",
    /// The request arrives late, possibly after the client has given up.
    RequestDelayed = "request delayed",
    /// The request arrives twice.
    Duplicated = "request duplicated",
    /// The response gets lost after the effect; the client hears nothing.
    ResponseLost = "response lost",
    /// The connection breaks before the whole response was there.
    ResponseBroken = "connection broke before the response was complete",
    /// The response comes late, possibly after the client has given up.
    ResponseDelayed = "response delayed",
    /// The response's body is cut short, and nobody notices.
    Truncated = "response cut short unnoticed",
    /// The response is larger than the client takes.
    TooLarge = "response too large",
    /// The response's content type is wrong.
    ContentType = "content type changed",
    /// 429 or 503 with `Retry-After`, from in front of the service.
    PutOff = "429 or 503 with Retry-After",
    /// 429 or 503 without `Retry-After`, from in front of the service.
    TurnedAway = "429 or 503 without Retry-After",
    /// 500, 502 or 504 from in front of the service, without an effect.
    FailedBefore = "500, 502 or 504 before the effect",
    /// 500, 502 or 504 instead of the service's response, after the effect.
    FailedAfter = "500, 502 or 504 after the effect",
    /// A 404 that is not the service's.
    NoSuchPage = "404 of a proxy",
    /// 202 with E18124, without an effect.
    InProgress = "202 with E18124",
    /// 200 with an error in the body, without an effect.
    ErrorInSuccess = "200 with an error in the body",
    /// The service says that it could not find the status out.
    StatusUnknown = "status Unknown",
    /// The response has no `Date`.
    DateMissing = "Date missing",
    /// The response has the `Date` of long ago, and an `Age` to tell.
    DateAged = "Date aged",
    /// The response has a wrong `Date`.
    DateWrong = "Date wrong",
    /// The client's clock is off.
    ClientClockOff = "client's clock off",
    /// The client's clock runs too fast or too slow.
    ClientClockDrifts = "client's clock drifts",
    /// Somebody sets the client's clock.
    ClientClockJumps = "client's clock jumps",
    /// The service's clock is off.
    ServiceClockOff = "service's clock off",
    /// The service's clock runs too fast or too slow.
    ServiceClockDrifts = "service's clock drifts",
    /// Somebody sets the service's clock.
    ServiceClockJumps = "service's clock jumps",
    /// The client wakes up later than it asked for.
    LateWake = "client woken late",
    /// Whatever stands in front of the service takes no large requests: 413, always from the same size on.
    BodyLimit = "413 of a proxy",
    /// Starts and stops get stuck or fail.
    StuckTransition = "start or stop stuck or failing",
}

impl Trouble {
    /// Whether it is a clock that is wrong, and not a message.
    pub(super) const fn is_of_a_clock(self) -> bool {
        matches!(
            self,
            Self::ClientClockOff
                | Self::ClientClockDrifts
                | Self::ClientClockJumps
                | Self::ServiceClockOff
                | Self::ServiceClockDrifts
                | Self::ServiceClockJumps
        )
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
