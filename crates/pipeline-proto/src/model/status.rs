use super::json::open_enum;

open_enum! {
    /// The status of a workflow, or of one of its nodes. Case-sensitive on the wire.
    ///
    /// The strings and their meanings come from the vendor's SDKs; which ones a node can have is
    /// written nowhere, so it shares the open set.
    ///
    /// ```
    /// use pipeline_proto::model::Status;
    ///
    /// assert_eq!(Status::from("Started"), Status::Started);
    /// assert!(Status::Starting.is_transient());
    /// let odd = Status::from("Paused");
    /// assert_eq!(odd.as_str(), "Paused");
    /// assert!(!odd.is_transient() && !odd.is_settled());
    /// ```
    pub enum Status {
        /// Newly created, never started.
        Ready = "Ready",
        /// At least one resource is starting.
        Starting = "Starting",
        /// Every resource is started.
        Started = "Started",
        /// At least one resource is stopping.
        Stopping = "Stopping",
        /// Every resource is stopped.
        Stopped = "Stopped",
        /// The service could not find the status out. Says nothing about the workflow: ask again.
        Unknown = "Unknown",
    }
}

impl Status {
    /// `Ready`, `Started` or `Stopped`: it stays so until somebody asks for a change, or a manual
    /// workflow ends.
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Ready | Self::Started | Self::Stopped)
    }

    /// `Starting` or `Stopping`: it will change by itself.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Starting | Self::Stopping)
    }

    /// `Ready` or `Stopped`: nothing runs. The two are treated alike, since no source says whether
    /// `Ready` can come back after `Stopped`.
    pub fn is_idle(&self) -> bool {
        matches!(self, Self::Ready | Self::Stopped)
    }
}
