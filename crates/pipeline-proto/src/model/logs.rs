use super::{json::object, node::NodeType, timestamp::Timestamp};

object! {
    /// The response to *search logs*, which only the vendor's Go SDK shows. Any part may be missing.
    ///
    /// ```
    /// use pipeline_proto::model::LogSearch;
    ///
    /// let text = r#"{"metric":[{"name":"archive","type":"export","total":10,"success":8,"failed":2}]}"#;
    /// let found: LogSearch = serde_json::from_str(text)?;
    /// assert!(found.log.is_empty());
    /// assert_eq!(found.metric[0].failed, 2);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub struct LogSearch {
        /// Changes of status.
        "status" => status: Vec<LogStatus>,
        /// Log lines.
        "log" => log: Vec<LogLine>,
        /// Advice of the service.
        "recommend" => recommend: Vec<Recommendation>,
        /// Counts of records.
        "metric" => metric: Vec<Metric>,
    }
}

object! {
    /// A status that a node had at some time.
    pub struct LogStatus {
        /// The node's type.
        "type" => node_type: NodeType,
        /// The node's name.
        "name" => name: String,
        /// When; the unit is stated nowhere, so the text is kept.
        "timestamp" => timestamp: Timestamp,
        /// The status.
        "status" => status: String,
        /// Why.
        "reason" => reason: String,
    }
}

object! {
    /// One line of a node's log.
    pub struct LogLine {
        /// The node's type.
        "type" => node_type: NodeType,
        /// The node's name.
        "name" => name: String,
        /// When; the unit is stated nowhere, so the text is kept.
        "timestamp" => timestamp: Timestamp,
        /// The line as the node wrote it.
        "log" => log: String,
    }
}

object! {
    /// Counts of records that a node has handled.
    pub struct Metric {
        /// The node's type.
        "type" => node_type: NodeType,
        /// The node's name.
        "name" => name: String,
        /// When; the unit is stated nowhere, so the text is kept.
        "timestamp" => timestamp: Timestamp,
        /// Kind of export; the member is in lower case on the wire.
        "exporttype" => export_type: String,
        /// All records.
        "total" => total: i64,
        /// Records handled well.
        "success" => success: i64,
        /// Records that failed.
        "failed" => failed: i64,
        /// Records not handled yet.
        "lag" => lag: i64,
    }
}

object! {
    /// A piece of advice. Before October 2017 it was a plain string, which is read as `detail`.
    pub struct Recommendation {
        /// When; the unit is stated nowhere, so the text is kept.
        "timestamp" => timestamp: Timestamp,
        /// The advice.
        "detail" => detail: String,
    }
    or a string, taken as detail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_may_be_missing() {
        let empty: LogSearch = serde_json::from_str(r#"{"status":null,"log":[]}"#).unwrap();
        assert_eq!(empty, LogSearch::default());
    }

    #[test]
    fn advice_may_be_a_string_and_times_may_be_numbers() {
        let found: LogSearch = serde_json::from_str(
            r#"{"recommend":["check the bucket",{"timestamp":1509000000000,"detail":"too slow"}],
                "metric":[{"type":"export","name":"e","timestamp":"t","exporttype":"kodo","total":3,"success":2,"failed":1,"lag":-1}]}"#,
        )
        .unwrap();
        assert_eq!(found.recommend[0].detail, "check the bucket");
        assert_eq!(found.recommend[1].timestamp.as_str(), "1509000000000");
        assert_eq!((found.metric[0].total, found.metric[0].lag), (3, -1));
        assert_eq!(found.metric[0].node_type, NodeType::Export);
    }
}
