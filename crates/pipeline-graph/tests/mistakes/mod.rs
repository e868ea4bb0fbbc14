//! Mistakes in the data of nodes, each planted by one change in a file that has none. Beside each
//! mistake stands a change at the same place that is none.

use pipeline_graph::{
    Rule,
    file::Format,
    lint::{lint_nodes, lint_text},
};
use pipeline_proto::model::{Node, NodeType, Nodes};

pub(crate) const EVERYTHING: &str = include_str!("everything.yaml");

pub(crate) const VENDOR: &str = include_str!("vendor.txt");

#[derive(Debug)]
pub(crate) struct Mistake {
    /// What is changed; it stands in the file once.
    pub(crate) from: &'static str,
    pub(crate) wrong: &'static str,
    right: &'static str,
    pub(crate) rule: &'static str,
    /// Where: the path, without `nodes`, …
    path: &'static str,
    /// … and what stands in the text at the finding's position.
    at: &'static str,
    /// A part of the message.
    message: &'static str,
}

impl Mistake {
    pub(crate) fn wrong(&self) -> String {
        self.apply(self.wrong)
    }

    pub(crate) fn right(&self) -> String {
        self.apply(self.right)
    }

    fn apply(&self, to: &str) -> String {
        let count = EVERYTHING.matches(self.from).count();
        assert_eq!(count, 1, "{:?} must stand in the file once", self.from);
        EVERYTHING.replacen(self.from, to, 1)
    }
}

macro_rules! mistakes {
    ($( $from:literal: $wrong:literal not $right:literal => $rule:literal $path:literal $at:literal $message:literal; )*) => {
        pub(crate) const MISTAKES: &[Mistake] = &[$( Mistake {
            from: $from, wrong: $wrong, right: $right, rule: $rule, path: $path, at: $at, message: $message,
        }, )*];
    };
}

#[rustfmt::skip]
mistakes! {
    // Names of members.
    "interval: 5m": "intervall: 5m" not "interval: 10s" => "misspelled-member" "['count-transform'].data.intervall" "intervall" "did you mean \"interval\"?";
    "ruleNames: [r1": "rule_names: [r1" not "ruleNames: [r9" => "misspelled-member" "['clicks-repo'].data.rule_names" "rule_names" "ruleNames";
    "unescapeLine: true": "unescapeline: true" not "unescapeLine: false" => "misspelled-member" "['clicks-repo'].data.options.unescapeline" "unescapeline" "unescapeLine";
    "fileFilter: $(date)": "filefilter: $(date)" not "fileFilter: \"\"" => "misspelled-member" "['hourly-job'].data.srcs[0].filefilter" "filefilter" "fileFilter";
    "rotateInterval: 600": "rotateIntervall: 600" not "rotateInterval: 0" => "misspelled-member" "['kodo-export'].data.spec.rotateIntervall" "rotateIntervall" "rotateInterval";
    "wantCity: true": "wantTown: true" not "wantCity: false" => "unknown-member" "['logdb-export'].data.spec.locateIPConfig.mappings.ip.wantedFields.wantTown" "wantTown" "known are";
    "description: Clicks": "colour: red" not "description: null" => "unknown-member" "['clicks-repo'].data.colour" "colour" "known are region";
    "user: u,": "user: u, bucket: b," not "user: w," => "unknown-member" "['hdfs-export'].data.spec.bucket" "bucket" "known are path";
    // Types.
    "unescapeLine: true": "unescapeLine: \"true\"" not "unescapeLine: null" => "wrong-type" "['clicks-repo'].data.options.unescapeLine" "\"true\"" "true or false, not a string";
    "count: 3": "count: \"3\"" not "count: 1" => "wrong-type" "['count-transform'].data.container.count" "\"3\"" "an integer, not a string";
    "count: 12}": "count: 1.5}" not "count: 2}" => "wrong-type" "['hourly-job'].data.container.count" "1.5" "integer of at most 64 bits";
    "ruleNames: [r1, r2]": "ruleNames: r1" not "ruleNames: []" => "wrong-type" "['clicks-repo'].data.ruleNames" "r1" "an array, not a string";
    "updateKey: [ip]": "updateKey: [1]" not "updateKey: null" => "wrong-type" "['mongo-export'].data.spec.updateKey[0]" "1" "a string, not a number";
    "tags: {x: y}": "tags: [x]" not "tags: {}" => "wrong-type" "['tsdb-export'].data.spec.tags" "[x]" "an object, not an array";
    "code: select n from stream": "code: 1" not "code: \"1\"" => "wrong-type" "['count-transform'].data.code" "1" "a string, not a number";
    "scheduler: {type: depend}": "scheduler: depend" not "scheduler: {type: depend, spec: {}}" => "wrong-type" "['after-job'].data.scheduler" "depend" "an object, not a string";
    "spec: {host: h.example, uri: /v, format: text}": "spec: h.example" not "spec: {host: h, uri: /}" => "wrong-type" "['http-exportBatch'].data.spec" "h.example" "an object";
    // Members that must be there.
    "type: http, whence: oldest, ": "whence: oldest, " not "type: http, " => "missing-member" "['http-export'].data" "{whence" "known are http, logdb";
    "type: report, spec: {dbName: d, tableName: t, columns: {ip: \"#ip\"}}": "type: report" not "type: report, spec: {dbName: e, tableName: t, columns: {ip: \"#ip\"}}" => "missing-member" "['report-export'].data" "{type" "\"spec\" is missing";
    "        bucket: b\n": "" not "        bucket: c\n" => "missing-member" "['kodo-export'].data.spec" "keyPrefix" "\"bucket\" is missing";
    "collName: c, ": "collName: \"\", " not "collName: e, " => "missing-member" "['mongo-export'].data.spec" "{host" "\"collName\" is missing";
    "delimiter: \",\"\n": "delimiter: \"\"\n" not "delimiter: \";\"\n" => "missing-member" "['kodo-export'].data.spec" "bucket" "when format is csv";
    "fileType: csv, delimiter: \";\"": "fileType: csv" not "fileType: json" => "missing-member" "['files-datasource'].data.spec" "{bucket" "when fileType is csv";
    "fileType: parquet": "delimiter: x" not "fileType: text" => "missing-member" "['lake-datasource'].data.spec" "{paths" "json, csv, text and parquet";
    "paths: [\"hdfs://192.0.2.1:9000/usr\"]": "paths: []" not "paths: [a, b]" => "missing-member" "['lake-datasource'].data.spec" "{paths" "\"paths\" is missing";
    "computation: {type: sql, code: select ip from logs}": "computation: {type: sql}" not "computation: {type: sql, code: s}" => "missing-member" "['often-job'].data.computation" "{type" "\"code\" is missing";
    "      scheduler: {type: loop, spec: {loop: 10m}}\n": "" not "      scheduler: {type: loop}\n" => "missing-member" "['often-job'].data" "srcs" "\"scheduler\" is missing";
    "scheduler: {type: crontab, spec: {crontab: 0 0 0/1 * *}}": "scheduler: {type: crontab}" not "scheduler: {type: loop}" => "missing-member" "['hourly-job'].data.scheduler" "{type" "when type is crontab";
    "spec: {crontab: 0 0 0/1 * *}": "spec: {}" not "spec: {crontab: 0 5 * * *}" => "missing-member" "['hourly-job'].data.scheduler.spec" "{}" "\"crontab\" is missing";
    "      container: {type: 1U2G, count: 100}\n": "" not "      container: {type: 1U2G, count: 1}\n" => "missing-member" "['often-job'].data" "srcs" "{type: 1U2G, count: 1}";
    "container: {type: 2U4G, count: 3}": "container: {type: 2U4G}" not "container: null" => "missing-member" "['count-transform'].data.container" "{type" "\"count\" is missing";
    "      code: select n from stream\n": "" not "      code: select 1\n" => "missing-member" "['count-transform'].data" "plugin" "\"code\" is missing";
    "name: files, type": "type" not "name: files, type" => "missing-member" "['hourly-job'].data.srcs[0]" "{type" "\"name\" is missing";
    "tableName: users": "fileFilter: x" not "tableName: Users" => "missing-member" "['hourly-job'].data.srcs[1]" "{name" "\"tableName\" is missing";
    "plugin: {name: com.example.P, ": "plugin: {" not "plugin: {name: P, " => "missing-member" "['count-transform'].data.plugin" "{output" "\"name\" is missing";
    // Words.
    "mode: sql": "mode: spark" not "mode: \"${MODE}\"" => "unknown-value" "['count-transform'].data.mode" "spark" "known are sql";
    "interval: 5m": "interval: 7s" not "interval: 30s" => "unknown-value" "['count-transform'].data.interval" "7s" "5s, 10s, 20s, 30s, 1m, 5m and 10m";
    "container: {type: 2U4G": "container: {type: 2*4U8G" not "container: {type: M16C4" => "unknown-value" "['count-transform'].data.container.type" "2*4U8G" "1U2G";
    "container: {type: 2U4G": "container: {type: 8U32G" not "container: {type: 8U16G" => "unknown-value" "['count-transform'].data.container.type" "8U32G" "8U16G and M16C4";
    "container: {type: 8U32G": "container: {type: 8u32g" not "container: {type: 1U4G" => "unknown-value" "['hourly-job'].data.container.type" "8u32g" "did you mean \"8U32G\"?";
    "whence: newest": "whence: latest" not "whence: oldest" => "unknown-value" "['count-transform'].data.whence" "latest" "oldest and newest";
    "type: http, whence: oldest": "type: htpp, whence: oldest" not "type: http, whence: newest" => "unknown-value" "['http-export'].data.type" "htpp" "did you mean \"http\"?";
    "type: fusion": "type: fuse" not "type: fusion" => "unknown-value" "['logs-datasource'].data.type" "fuse" "kodo, hdfs and fusion";
    "{type: tsdb, spec": "{type: mongo, spec" not "{type: tsdb, spec" => "unknown-value" "['tsdb-exportBatch'].data.type" "mongo" "kodo, hdfs, http";
    "scheduler: {type: loop": "scheduler: {type: daily" not "scheduler: {type: loop" => "unknown-value" "['often-job'].data.scheduler.type" "daily" "crontab, loop, manual and depend";
    "mode: UPSERT": "mode: upsert" not "mode: INSERT" => "unknown-value" "['mongo-export'].data.spec.mode" "upsert" "did you mean \"UPSERT\"?";
    "rotateStrategy: both": "rotateStrategy: time" not "rotateStrategy: interval" => "unknown-value" "['kodo-export'].data.spec.rotateStrategy" "time" "size, interval and both";
    "format: csv\n": "format: avro\n" not "format: parquet\n" => "unknown-value" "['kodo-export'].data.spec.format" "avro" "json, text, parquet and csv";
    "saveMode: append": "saveMode: appendix" not "saveMode: errorIfExists" => "unknown-value" "['kodo-exportBatch'].data.spec.saveMode" "appendix" "did you mean \"append\"?";
    "compression: zlib": "compression: bzip2" not "compression: lzo" => "unknown-value" "['kodo-exportBatch'].data.spec.compression" "bzip2" "format orc has no compression";
    "name: lake, type: datasource": "name: lake, type: source" not "name: lake, type: DataSource" => "unknown-value" "['hourly-job'].data.srcs[1].type" "source" "datasource";
    "{type: sql, code: select ip from hits}": "{type: hive, code: select ip from hits}" not "{type: sql, code: select n from hits}" => "unknown-value" "['hourly-job'].data.computation.type" "hive" "known are sql";
    "output: [{name: a, type: long}": "output: [{name: a, type: date}" not "output: [{name: a, type: float}" => "unknown-value" "['count-transform'].data.plugin.output[0].type" "date" "string, long and float";
    // Forms.
    "loop: 10m": "loop: 10s" not "loop: 2h" => "malformed-value" "['often-job'].data.scheduler.spec.loop" "10s" "'m' or 'h'";
    "crontab: 0 0 0/1 * *": "crontab: every hour" not "crontab: \"0 0/5 14,18 ? * MON-FRI\"" => "malformed-value" "['hourly-job'].data.scheduler.spec.crontab" "every" "cron table";
    "tableName: hits": "tableName: 2017_hits" not "tableName: hits_2017" => "malformed-value" "['hourly-job'].data.srcs[0].tableName" "2017_hits" "a letter first";
    "params: [{name: p,": "params: [{name: p-1," not "params: [{name: _p1," => "malformed-value" "['hourly-job'].data.params[0].name" "p-1" "digits and '_'";
    "bucket: my-logs": "bucket: my_logs" not "bucket: \"${BUCKET}\"" => "malformed-value" "['files-datasource'].data.spec.bucket" "my_logs" "3 to 63";
    "keyPrefixes: [p1,": "keyPrefixes: [\"a<b\"," not "keyPrefixes: [\"\"," => "malformed-value" "['files-datasource'].data.spec.keyPrefixes[0]" "\"a<b\"" "'<'";
    "keyPrefix: out": "keyPrefix: \"a:b\"" not "keyPrefix: a/b" => "malformed-value" "['kodo-exportBatch'].data.spec.keyPrefix" "\"a:b\"" "':'";
    "group: pool": "group: my-pool" not "group: \"\"" => "malformed-value" "['clicks-repo'].data.group" "my-pool" "letters, digits";
    "withIP: sender": "withIP: client-ip" not "withIP: \"\"" => "malformed-value" "['clicks-repo'].data.options.withIP" "client-ip" "letters, digits";
    "destRepoName: clicks_1": "destRepoName: Clicks" not "destRepoName: \"${LOGDB}\"" => "doubtful-value" "['logdb-export'].data.spec.destRepoName" "Clicks" "lower-case";
    "uri: /v": "uri: v" not "uri: /" => "doubtful-value" "['http-exportBatch'].data.spec.uri" "v" "begins with '/'";
    // Ranges.
    "count: 3": "count: 0" not "count: 128" => "out-of-range" "['count-transform'].data.container.count" "0" "1 or more";
    "count: 3": "count: 129" not "count: 128" => "doubtful-value" "['count-transform'].data.container.count" "129" "128 or less";
    "count: 12}": "count: 13}" not "count: 11}" => "out-of-range" "['hourly-job'].data.container.count" "13" "8 cores 13 times";
    "rotateSize: 5242880": "rotateSize: 1073741825" not "rotateSize: 1073741824" => "out-of-range" "['kodo-export'].data.spec.rotateSize" "1073741825" "1073741824 or less";
    "fileCount: 1000": "fileCount: 1001" not "fileCount: 1" => "out-of-range" "['kodo-exportBatch'].data.spec.fileCount" "1001" "1000 or less";
    "fileCount: 2": "fileCount: -1" not "fileCount: 3" => "out-of-range" "['hdfs-exportBatch'].data.spec.fileCount" "-1" "1 or more";
    "kodo_file_type: 1": "kodo_file_type: 2" not "kodo_file_type: 0" => "out-of-range" "['kodo-export'].data.spec.kodo_file_type" "2" "1 or less";
    "ruleNames: [r1, r2]": "ruleNames: [a, b, c, d, e, f]" not "ruleNames: [a, b, c, d, e]" => "out-of-range" "['clicks-repo'].data.ruleNames" "[a" "at most 5, not 6";
    "domains: [d.example]": "domains: [d.example, e.example]" not "domains: [e.example]" => "out-of-range" "['logs-datasource'].data.spec.domains" "[d" "at most 1";
    "default: v": "default: vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv" not "default: vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv" => "out-of-range" "['hourly-job'].data.params[0].default" "vvv" "64 characters";
    "crontab: 0 0 0/1 * *": "crontab: 60 0 * * *" not "crontab: 59 0 * * *" => "out-of-range" "['hourly-job'].data.scheduler.spec.crontab" "60" "\"60\" is no minute";
    "crontab: 0 0 0/1 * *": "crontab: 0 0 * JNA *" not "crontab: 0 0 * JAN *" => "out-of-range" "['hourly-job'].data.scheduler.spec.crontab" "0 0" "\"JNA\" is no month";
    "crontab: 0 0 0/1 * *": "crontab: 0 24 * * *" not "crontab: 0 23 * * *" => "doubtful-value" "['hourly-job'].data.scheduler.spec.crontab" "0 24" "\"24\" is no hour";
    // What goes together.
    "  clicks-repo:\n    data:\n      region: nb": "  clicks-repo:\n    data:\n      region: bj" not "  clicks-repo:\n    data:\n      region: \"\"" => "doubtful-value" "['clicks-repo'].data.region" "bj" "the workflow has region \"nb\"";
    "mode: sql": "mode: sql\n      workflow: other" not "mode: sql\n      workflow: everything" => "doubtful-value" "['count-transform'].data.workflow" "other" "the workflow has workflow";
    "description: Clicks": "workflow: other" not "workflow: everything" => "doubtful-value" "['clicks-repo'].data.workflow" "other" "leave it out here";
    "updateKey: [ip]": "updateKey: []" not "updateKey: null" => "doubtful-value" "['mongo-export'].data.spec.updateKey" "[]" "with mode UPSERT";
    "scheduler: {type: depend}": "scheduler: {type: depend}\n      container: {type: 1U2G, count: 1}" not "scheduler: {type: depend}\n      container: null" => "contradiction" "['after-job'].data.container" "{type: 1U2G" "no container of its own";
    "scheduler: {type: depend}": "scheduler: {type: depend}\n      params: [{name: p}]" not "scheduler: {type: depend}\n      params: []" => "contradiction" "['after-job'].data.params" "[{name" "no params of its own";
    "scheduler: {type: depend}": "scheduler: {type: depend, spec: {loop: 5m}}" not "scheduler: {type: depend, spec: null}" => "contradiction" "['after-job'].data.scheduler.spec" "{loop" "no plan of its own";
    "container: {type: 1U2G, count: 100}\n      scheduler: {type: loop, spec: {loop: 10m}}": "scheduler: {type: depend}" not "container: {type: 1U2G, count: 100}\n      scheduler: {type: loop, spec: {loop: \"0\"}}" => "contradiction" "['often-job'].data.srcs" "[{name" "one source, and that is a job";
    "spec: {loop: 10m}": "spec: {crontab: 0 0 * * *}" not "spec: {loop: 1h}" => "misplaced-member" "['often-job'].data.scheduler.spec.crontab" "0 0" "a loop does not look at crontab";
    "{key: ip, valtype: ip}": "{key: ip, valtype: ip, elemtype: long}" not "{key: ip, valtype: ip, elemtype: \"\"}" => "misplaced-member" "['clicks-repo'].data.schema[1].elemtype" "long" "unless valtype is array";
    "{key: n, valtype: long}, {key: at": "{key: n, valtype: long, schema: [{key: x, valtype: long}]}, {key: at" not "{key: n, valtype: long}, {key: m, valtype: map, schema: [{key: x, valtype: long}]}, {key: at" => "misplaced-member" "['counts-repo'].data.schema[0].schema" "[{key: x" "unless valtype is map";
    // Fields.
    "valtype: jsonstring": "valtype: json" not "valtype: boolean" => "schema-valtype" "['clicks-repo'].data.schema[3].schema[0].valtype" "json" "known are string";
    "elemtype: string": "elemtype: boolean" not "elemtype: long" => "schema-elemtype" "['clicks-repo'].data.schema[2].elemtype" "boolean" "long, float and string";
    "valtype: array, elemtype: string": "valtype: array" not "valtype: array, elemtype: float" => "schema-elemtype" "['clicks-repo'].data.schema[2]" "{key: tags" "when valtype is array";
    "[{key: browser, valtype": "[{key: the browser, valtype" not "[{key: Browser_2, valtype" => "schema-key" "['clicks-repo'].data.schema[3].schema[0].key" "the browser" "letters, digits";
    "destrepo: [{key: n, valtype: long}]": "destrepo: [{key: n, valtype: long}, {key: n, valtype: long}]" not "destrepo: []" => "schema-duplicate-key" "['count-transform'].data.destrepo[1].key" "n" "twice";
    "{key: n, valtype: long, required: false}": "{key: n, valtype: map, required: false}" not "{key: n, valtype: boolean, required: false}" => "schema-valtype" "['files-datasource'].data.schema[1].valtype" "map" "boolean, long, date, float and string";
    "{name: q}]": "{name: p}]" not "{name: P}]" => "duplicate-name" "['hourly-job'].data.params[1].name" "p}" "twice";
    "tableName: users": "tableName: hits" not "tableName: hits2" => "duplicate-name" "['hourly-job'].data.srcs[1].tableName" "hits" "twice";
    "tableName: hourly": "tableName: users" not "tableName: logs" => "duplicate-name" "['after-job'].data.srcs[0].tableName" "users" "in hourly-job already";
    // The data and the graph.
    "name: files, type": "name: filse, type" not "name: \"${FILES}\", type" => "unknown-source" "['hourly-job'].data.srcs[0].name" "filse" "did you mean \"files\"?";
    "name: lake, type: datasource": "name: lake, type: job" not "name: lake, type: datasource" => "unknown-source" "['hourly-job'].data.srcs[1].type" "job" "is a datasource, not a job";
    "tableName: users}": "tableName: users}\n        - {name: logs, type: datasource, tableName: third}" not "tableName: users2}" => "edge-mismatch" "['hourly-job'].data.srcs[2]" "{name: logs" "parents: [logs-datasource]";
    "parents: [logs-datasource]": "parents: [logs-datasource, lake-datasource]" not "parents: [{name: logs, type: datasource}]" => "edge-mismatch" "['often-job'].data.srcs" "[{name" "srcs does not name it";
    "derivedFrom: count": "derivedFrom: counted" not "derivedFrom: \"\"" => "edge-mismatch" "['counts-repo'].data.derivedFrom" "counted" "the edges do not";
    "destrepo: [{key: n, valtype: long}]": "to: clicks" not "to: counts" => "edge-mismatch" "['count-transform'].data.to" "clicks" "the edges do not";
    "mode: sql": "mode: sql\n      name: other" not "mode: sql\n      name: count" => "edge-mismatch" "['count-transform'].data.name" "other" "called \"other\"";
    "  counts-repo:\n": "  again-transform: {parents: [clicks-repo], children: [counts-repo], data: {mode: sql, code: x}}\n  counts-repo:\n" not "  again-transform: {parents: [counts-repo], children: [more-repo], data: {mode: sql, code: x}}\n  more-repo: {data: {schema: [{key: x, valtype: long}]}}\n  counts-repo:\n" => "destination-taken" "['counts-repo']" "counts-repo" "give each a repo of its own";
    "  count-transform:\n    parents: [clicks-repo]\n    children: [counts-repo]": "  more-repo: {data: {schema: [{key: x, valtype: long}]}}\n  count-transform:\n    parents: [clicks-repo]\n    children: [counts-repo, more-repo]" not "  count-transform:\n    parents: [{name: clicks, type: repo}]\n    children: [counts-repo]" => "extra-edge" "['count-transform']" "count-transform" "one destination";
    "  http-export:\n    parents: [clicks-repo]": "  http-export:\n    parents: [clicks-repo, counts-repo]" not "  http-export:\n    parents: [counts-repo]" => "extra-edge" "['http-export']" "http-export" "one source";
    "updateKey: [ip]": "updateKey: [nosuch]" not "updateKey: [sender]" => "unknown-field" "['mongo-export'].data.spec.updateKey[0]" "nosuch" "clicks-repo has no field";
    "updateKey: [ip], doc: {ip: \"#ip\"}": "updateKey: [\"#id\"], doc: {id: \"#ip\"}" not "updateKey: [id], doc: {id: \"#ip\"}" => "unknown-field" "['mongo-export'].data.spec.updateKey[0]" "\"#id\"" "write \"id\"";
    "partitionBy: [ip]": "partitionBy: [nosuch]" not "partitionBy: null" => "unknown-field" "['kodo-exportBatch'].data.spec.partitionBy[0]" "nosuch" "hourly-job has no field";
    "partitionBy: [ip]": "partitionBy: [\"#ip\"]" not "partitionBy: []" => "unknown-field" "['kodo-exportBatch'].data.spec.partitionBy[0]" "\"#ip\"" "write \"ip\"";
    "destrepo: [{key: n, valtype: long}]": "destrepo: [{key: m, valtype: long}]" not "destrepo: [{key: n, valtype: \"${TYPE}\"}]" => "edge-mismatch" "['count-transform'].data.destrepo[0].key" "m" "has no field \"m\"";
    "destrepo: [{key: n, valtype: long}]": "destrepo: [{key: n, valtype: float}]" not "destrepo: [{key: at, valtype: date}]" => "edge-mismatch" "['count-transform'].data.destrepo[0].valtype" "float" "is of type long";
    "columns: {ip: \"#ip\"}}}\n\n": "columns: {ip: \"#pi\"}}}\n\n" not "columns: {ip: \"#sender\"}}}\n\n" => "unknown-field" "['report-export'].data.spec.columns.ip" "\"#pi\"" "has no field";
    "timestamp: \"#at\", omit": "timestamp: at, omit" not "timestamp: \"#n\", omit" => "bare-field" "['tsdb-export'].data.spec.timestamp" "at" "reads the field";
    "  hdfs-export:": "  hdfs-exprot:" not "  hdfs2-export:" => "unknown-type" "['hdfs-exprot']" "hdfs-exprot" "did you mean \"export\"?";
}

#[test]
fn what_the_vendors_sdk_sends_and_reads_has_no_mistake() {
    for line in VENDOR.lines() {
        let (node_type, data) = line.split_once(' ').unwrap();
        let mut node = Node::default();
        node.name = "n".to_owned();
        node.node_type = NodeType::from(node_type);
        node.data = Some(data.parse().unwrap());
        let mut findings = lint_nodes(&Nodes::from([(node.id(), node)]));
        // A node alone has no neighbours, and the samples have keys in clear.
        findings.retain(|finding| {
            let elsewhere = [Rule::SecretInClear, Rule::UnknownSource, Rule::EdgeMismatch];
            finding.path.contains(".data") && !elsewhere.contains(&finding.rule)
        });
        assert_eq!(findings, [], "{line}");
    }
}

/// What stands at a place in a text.
fn at(text: &str, line: u32, column: u32) -> &str {
    let line = text.lines().nth(line as usize - 1).unwrap();
    let start = line.char_indices().nth(column as usize - 1).unwrap().0;
    &line[start..]
}

#[test]
fn a_file_with_every_member_is_silent() {
    assert_eq!(lint_text(EVERYTHING, Format::Yaml), []);
}

#[test]
fn each_mistake_is_found_at_its_place_and_its_neighbour_is_none() {
    let mut wrong = Vec::new();
    for (row, mistake) in MISTAKES.iter().enumerate() {
        let text = mistake.wrong();
        let found: Vec<String> = lint_text(&text, Format::Yaml)
            .iter()
            .filter(|finding| {
                let place = finding.position.unwrap();
                !(finding.rule.as_str() == mistake.rule
                    && finding.path == format!("nodes{}", mistake.path)
                    && at(&text, place.line, place.column).starts_with(mistake.at)
                    && finding.message.contains(mistake.message))
            })
            .map(|finding| format!("{finding} at {}", finding.path))
            .collect();
        let count = lint_text(&text, Format::Yaml).len();
        if count != 1 || !found.is_empty() {
            wrong.push(format!("{row} {:?}: {count} {found:?}", mistake.wrong));
        }
        for finding in lint_text(&mistake.right(), Format::Yaml) {
            wrong.push(format!(
                "{row} {:?}, which is none: {finding}",
                mistake.right
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
