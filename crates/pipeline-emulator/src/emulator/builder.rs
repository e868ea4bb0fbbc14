use std::time::Duration;

use crate::{
    account::{Account, Accounts},
    auth::Authentication,
    clock_skew::ClockSkew,
    delivery::Deliveries,
    emulator::{Emulator, RequestIds},
    fault::Faults,
    request_log::RequestLog,
    rules::Rules,
    state::State,
    transition::Transition,
    web::{Trust, check_origin},
};

/// Settings of an [`Emulator`].
///
/// ```
/// use pipeline_emulator::{Account, Emulator, Transition};
///
/// let emulator = Emulator::builder()
///     .account(Account::new("1380000000").key("access-key", "secret-key"))
///     .regions(["nb", "jjh"])
///     .transitions(Transition::AfterReads(3))
///     .seed(7)
///     .build();
/// assert_eq!(emulator.max_body(), 2 * 1024 * 1024);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct EmulatorBuilder {
    accounts: Vec<Account>,
    any_owner: bool,
    trust: Trust,
    authentication: Authentication,
    rules: Rules,
    max_body: usize,
    request_log: usize,
    seed: u64,
}

impl Default for EmulatorBuilder {
    fn default() -> Self {
        Self {
            accounts: Vec::new(),
            any_owner: false,
            trust: Trust::default(),
            authentication: Authentication::default(),
            rules: Rules {
                regions: None,
                start: Transition::default(),
                stop: Transition::default(),
                manual_run: Duration::from_secs(1),
                destination_delay: Duration::ZERO,
                schema_delay: Duration::ZERO,
                max_fields: usize::MAX,
                max_repos: usize::MAX,
                max_description: usize::MAX,
                deliver: false,
                clock_offset: ClockSkew::default(),
            },
            max_body: 2 * 1024 * 1024,
            request_log: 1_000,
            seed: 0,
        }
    }
}

/// Methods that set a value: their name, the value, and where it goes.
macro_rules! setters {
    ($($(#[doc = $doc:literal])* $method:ident($value:ident: $type:ty) = $($place:ident).+;)*) => { $(
        $(#[doc = $doc])*
        pub fn $method(mut self, $value: $type) -> Self {
            self.$($place).+ = $value;
            self
        }
    )* };
}

impl EmulatorBuilder {
    /// Adds an account; one that is declared twice has the keys of both declarations. Without any
    /// there is [`Account::development`]. Of an access key that was given twice, the last counts.
    pub fn account(mut self, account: Account) -> Self {
        self.accounts.push(account);
        self
    }

    /// Lets `X-Resource-Owner` name accounts that do not exist: it means the caller's own then.
    /// Recorded requests name accounts that nobody has set up. Default: E18664.
    pub fn any_owner(mut self) -> Self {
        self.any_owner = true;
        self
    }

    /// Lets pages of this origin read responses, by the headers that browsers look for (CORS); `*` for
    /// those of every origin. Pages of an origin that is named, which `*` does not do, may use the admin
    /// interface as well. Default: no pages.
    ///
    /// ```
    /// use pipeline_emulator::Emulator;
    ///
    /// assert!(Emulator::builder().cors_origin("http://localhost:3000").is_ok());
    /// assert!(Emulator::builder().cors_origin("localhost").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// With what is wrong, if no browser would send such an origin.
    pub fn cors_origin(mut self, origin: &str) -> Result<Self, &'static str> {
        check_origin(origin)?;
        self.trust.origin(origin);
        Ok(self)
    }

    /// Adds a name under which the admin interface is reached, without a port. Default: those of the
    /// loopback only, so that no page whose name was made to point here can use it.
    pub fn admin_host(mut self, name: &str) -> Self {
        self.trust.admin_host(name);
        self
    }

    /// Sets how starts and stops come to their end. Default: after 250 ms.
    pub fn transitions(self, transition: Transition) -> Self {
        self.start_transition(transition)
            .stop_transition(transition)
    }

    setters! {
        /// Sets whether callers must prove who they are. Default: they must.
        authentication(authentication: Authentication) = authentication;

        /// Sets how starts come to their end.
        start_transition(transition: Transition) = rules.start;

        /// Sets how stops come to their end.
        stop_transition(transition: Transition) = rules.stop;

        /// Sets how long a workflow of manually run jobs stays `Started` before it ends in `Stopped` by
        /// itself. Default: 1 s.
        manual_run(duration: Duration) = rules.manual_run;

        /// Sets how long the repo that a transform makes as its destination is still being made: whatever names it
        /// is answered with E18124. Default: no time.
        destination_delay(delay: Duration) = rules.destination_delay;

        /// Sets how long pushes are checked against the schema that a repo had before an update: a new field is
        /// E18111 until then. Default: no time; the service takes about six seconds.
        schema_delay(delay: Duration) = rules.schema_delay;

        /// Sets how many fields a schema may have, beyond which it is E18134. Default: any number.
        max_fields(fields: usize) = rules.max_fields;

        /// Sets how many repos a workflow may have, beyond which they are E18652. Default: any number.
        max_repos(repos: usize) = rules.max_repos;

        /// Sets how many characters the description of a repo (E18136) or of a field (E18137) may have. Default: any
        /// number.
        max_description(characters: usize) = rules.max_description;

        /// Sets how far the service's clock is off. Default: not at all.
        clock_offset(offset: ClockSkew) = rules.clock_offset;

        /// Sets the size of the longest request body that is accepted, in bytes. Default: 2 MiB. Jars may have
        /// 100 MiB whatever is set here.
        max_body(bytes: usize) = max_body;

        /// Sets how many requests the log keeps. Default: 1,000; of their bodies, at most 16 KiB each.
        request_log(requests: usize) = request_log;

        /// Sets where the sequence of request ids starts. Default: 0.
        seed(seed: u64) = seed;
    }

    /// Lets exports of type `http` deliver to loopback addresses: whatever a queue takes from now on is sent there,
    /// whether a workflow around the export runs or not. The [server](crate::server) does so by itself; others
    /// [take](Emulator::take_deliveries) what there is to send. It is the one thing that is carried out.
    /// Default: nothing is delivered.
    pub fn deliver(mut self) -> Self {
        self.rules.deliver = true;
        self
    }

    /// Sets the regions that exist. Default: any.
    pub fn regions<T: Into<String>>(mut self, regions: impl IntoIterator<Item = T>) -> Self {
        self.rules.regions = Some(regions.into_iter().map(Into::into).collect());
        self
    }

    /// Builds the emulator.
    #[must_use]
    pub fn build(self) -> Emulator {
        Emulator {
            accounts: Accounts::new(self.accounts),
            any_owner: self.any_owner,
            trust: self.trust,
            authentication: self.authentication,
            rules: self.rules,
            max_body: self.max_body,
            request_ids: RequestIds::new(self.seed),
            state: State::default(),
            faults: Faults::default(),
            deliveries: Deliveries::default(),
            request_log: RequestLog::new(self.request_log),
        }
    }
}
