//! What both clients are made of, written once so that both have the same.

/// Makes a client's `ShipperBuilder` and the method that begins it. The client has `now`.
#[doc(hidden)]
#[macro_export]
macro_rules! client_builder {
    ($($(#[$about:meta])+ $setting:ident: $Setting:ty;)+) => {
        impl ShipperBuilder {
            $(
                $(#[$about])+
                pub fn $setting(mut self, $setting: $Setting) -> Self {
                    self.settings = self.settings.$setting($setting);
                    self
                }
            )+

            /// Adds a function that is told what happens to batches. It holds the shipper up, so it should be
            /// quick, and it must not panic or call the shipper.
            pub fn observer(
                mut self,
                observe: impl Fn(&$crate::Event<'_>) + ::std::marker::Send + ::std::marker::Sync + 'static,
            ) -> Self {
                self.settings = self.settings.observer(observe);
                self
            }

            /// Its parts: the client, how many are to send, and what they share.
            fn open<I>(
                self,
                tell: impl Fn($crate::Verdict<I>) + ::std::marker::Send + ::std::marker::Sync + 'static,
                ring: impl Fn() + ::std::marker::Send + ::std::marker::Sync + 'static,
            ) -> Result<(Clients, usize, Arc<$crate::desk::Desk<I>>), $crate::proto::BuildError> {
                let (clients, mut settings) = (self.clients, self.settings);
                let clock = clients.main.clone();
                for (service, _) in &clients.sisters {
                    settings = settings.reaches(*service);
                }
                let workers = settings.requests_at_once();
                let shipper = $crate::Shipper::new(self.repo?, settings);
                let desk = $crate::desk::Desk::new(shipper, tell, ring, move || clock.now());
                Ok((clients, workers, Arc::new(desk)))
            }

            /// Makes what automatic exports write to as well, with a client whose
            /// endpoint is that of this service. Without it, the repo of LogDB or TSDB has to be there.
            pub fn service(mut self, service: $crate::exports::Service, client: Client) -> Self {
                self.clients.sisters.push((service, client));
                self
            }

            /// All settings at once.
            pub fn settings(mut self, settings: $crate::Settings) -> Self {
                self.settings = settings;
                self
            }
        }
    };
    () => {
        /// How records are to be shipped: set what is to be different, then [`start`](Self::start).
        #[derive(Debug)]
        #[must_use = "call `start`"]
        pub struct ShipperBuilder {
            clients: Clients,
            repo: Result<$crate::proto::RepoName, $crate::proto::BuildError>,
            settings: $crate::Settings,
        }

        /// For each service the one that speaks to it.
        #[derive(Debug, Clone)]
        struct Clients {
            main: Client,
            sisters: Vec<($crate::exports::Service, Client)>,
        }

        impl Clients {
            fn of(&self, service: $crate::exports::Service) -> &Client {
                let found = self.sisters.iter().find(|(other, _)| *other == service);
                found.map_or(&self.main, |(_, client)| client)
            }
        }

        $crate::for_each_setting!($crate::client_builder);

        impl Client {
            /// Ships records into a message queue: in batches, again and again while the service is away, with a
            /// verdict for each of them.
            pub fn shipper(
                &self,
                repo: impl TryInto<$crate::proto::RepoName, Error: Into<$crate::proto::BuildError>>,
            ) -> ShipperBuilder {
                ShipperBuilder {
                    clients: Clients { main: self.clone(), sisters: Vec::new() },
                    repo: repo.try_into().map_err(Into::into),
                    settings: $crate::Settings::new().seed(::fastrand::u64(..)),
                }
            }
        }
    };
}

/// Makes what needs no waiting of a client's `Shipper`, whose field is an `Arc<Handle<I>>` with the field `desk`.
#[doc(hidden)]
#[macro_export]
macro_rules! client_shipper {
    () => {
        impl<I> Shipper<I> {
            /// Takes a record without waiting: any struct or map. The id comes back with its verdict.
            ///
            /// # Errors
            ///
            /// If it cannot be written as a [point](pipeline_proto::points), or as JSON without a schema, there is no
            /// room, or the shipper is closed.
            pub fn try_send_with<T: ::serde::Serialize + ?Sized>(
                &self,
                id: I,
                record: &T,
            ) -> Result<(), SendError> {
                self.try_send_line(id, &self.line(record)?)
            }

            /// Takes a record that is a point already, or a JSON object without a schema, and does not wait.
            ///
            /// # Errors
            ///
            /// If there is no room, or the shipper is closed.
            pub fn try_send_line(&self, id: I, line: &[u8]) -> Result<(), SendError> {
                Ok(self.0.desk.try_push(id, line)?)
            }

            /// Says that the schema of the queue has changed: for some seconds the service may refuse the new fields, and
            /// records that have them are then sent again. Without a schema, the shipper knows by itself.
            pub fn schema_changed(&self) {
                self.0.desk.schema_changed();
            }

            fn line<T: ::serde::Serialize + ?Sized>(
                &self,
                record: &T,
            ) -> Result<Vec<u8>, $crate::proto::points::PointError> {
                if self.0.desk.takes_json() {
                    return Ok($crate::proto::points::to_json(record)?.into_bytes());
                }
                let mut line = Vec::new();
                $crate::proto::points::write(&mut line, record)?;
                Ok(line)
            }

            /// What has become of everything so far.
            pub fn books(&self) -> $crate::Books {
                self.0.desk.books()
            }
        }

        impl Shipper {
            /// As [`try_send_with`](Self::try_send_with), for who needs no ids.
            ///
            /// # Errors
            ///
            /// As there.
            pub fn try_send<T: ::serde::Serialize + ?Sized>(
                &self,
                record: &T,
            ) -> Result<(), SendError> {
                self.try_send_with((), record)
            }
        }

        impl<I> Clone for Shipper<I> {
            /// Another handle of the same shipper.
            fn clone(&self) -> Self {
                Self(Arc::clone(&self.0))
            }
        }

        impl<I> fmt::Debug for Shipper<I> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.desk.fmt(f)
            }
        }

        impl<I> Drop for Handle<I> {
            /// What has no verdict yet is given up, and told so.
            fn drop(&mut self) {
                self.desk.abandon();
            }
        }
    };
}
