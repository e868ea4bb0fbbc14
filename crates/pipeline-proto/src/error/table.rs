//! The one table of error codes. Everything that speaks of a code reads it here: classification,
//! `pipeline explain`, the emulator's responses, `docs/errors.md`.
//!
//! Sources: the vendor's API page (rows with a status, marked `page`), and the constants of the
//! vendor's Go SDK (rows without a status, `_`, marked `sdk`). Meanings are in our own words; kinds
//! are a judgement, with reasons in `docs/protocol.md` where sources disagree.

use super::code::{CodeInfo, ErrorCode, ErrorKind};

macro_rules! codes {
    ($($number:literal $name:ident $status:tt $kind:ident $source:ident $meaning:literal $meaning_zh:literal;)*) => {
        #[allow(missing_docs, reason = "each constant's documentation is its meaning")]
        impl ErrorCode {
            $(
                #[doc = $meaning]
                pub const $name: Self = Self::new($number);
            )*
        }

        pub(super) static TABLE: &[CodeInfo] = &[
            $(CodeInfo {
                code: ErrorCode::$name,
                name: stringify!($name),
                http_status: codes!(@status $status),
                kind: ErrorKind::$kind,
                on_api_page: codes!(@source $source),
                meaning: $meaning,
                meaning_zh: $meaning_zh,
            },)*
        ];
    };
    (@status _) => { None };
    (@status $status:literal) => { Some($status) };
    (@source page) => { true };
    (@source sdk) => { false };
}

codes! {
    // Of TSDB, LogDB and the report service, the services beside this one.
    6102 TSDB_REPO_EXISTS _ Conflict sdk "TSDB has a repo of this name already (a code of TSDB's own)" "TSDB 中已有同名仓库（TSDB 自身的错误码）";
    6302 TSDB_SERIES_EXISTS _ Conflict sdk "TSDB has a series of this name already (a code of TSDB's own)" "TSDB 中已有同名序列（TSDB 自身的错误码）";
    6303 TSDB_NO_SUCH_SERIES _ NotFound sdk "no such series in the repo of TSDB (a code of TSDB's own)" "TSDB 仓库中没有该序列（TSDB 自身的错误码）";
    6410 TSDB_NO_SUCH_VIEW _ NotFound sdk "no such view in the repo of TSDB (a code of TSDB's own)" "TSDB 仓库中没有该视图（TSDB 自身的错误码）";
    6411 TSDB_VIEW_EXISTS _ Conflict sdk "the repo of TSDB has a view of this name already (a code of TSDB's own)" "TSDB 仓库中已有同名视图（TSDB 自身的错误码）";
    7100 TSDB_REPO_NOT_FOUND _ NotFound sdk "no such repo in TSDB (a code of TSDB's own)" "TSDB 中没有该仓库（TSDB 自身的错误码）";
    7200 TSDB_INVALID_QUERY _ InvalidArgument sdk "TSDB cannot read the query (a code of TSDB's own)" "TSDB 无法解析该查询语句（TSDB 自身的错误码）";
    8002 REPORT_INVALID_DATABASE_NAME _ InvalidArgument sdk "the database's name breaks the rules of the report service (a code of its own)" "数据库名不符合报表服务的命名规则（报表服务自身的错误码）";
    8003 REPORT_INVALID_SQL _ InvalidArgument sdk "the report service cannot read the SQL (a code of its own)" "报表服务无法解析该 SQL（报表服务自身的错误码）";
    8005 REPORT_INVALID_PARAMETER _ InvalidArgument sdk "a parameter is not one that the report service takes (a code of its own)" "报表服务不接受该参数（报表服务自身的错误码）";
    8006 REPORT_NO_SUCH_DATABASE _ NotFound sdk "the report service has no such database (a code of its own)" "报表服务中没有该数据库（报表服务自身的错误码）";
    8007 REPORT_NO_SUCH_TABLE _ NotFound sdk "the database of the report service has no such table (a code of its own)" "报表服务的数据库中没有该表（报表服务自身的错误码）";
    8104 LOGDB_LOG_MISMATCH _ InvalidArgument sdk "a log does not fit the schema of the repo of LogDB (a code of LogDB's own)" "日志与 LogDB 仓库的 schema 不符（LogDB 自身的错误码）";
    8111 LOGDB_REPO_NOT_FOUND _ NotFound sdk "no such repo in LogDB (a code of LogDB's own, passed through)" "LogDB 中没有该仓库（由 LogDB 透传的错误码）";
    8112 LOGDB_REPO_EXISTS _ Conflict sdk "LogDB has a repo of this name already (a code of LogDB's own)" "LogDB 中已有同名仓库（LogDB 自身的错误码）";
    8202 LOGDB_INVALID_QUERY _ InvalidArgument sdk "LogDB cannot read the query (a code of LogDB's own)" "LogDB 无法解析该查询表达式（LogDB 自身的错误码）";
    8203 LOGDB_INVALID_START _ InvalidArgument sdk "from is not a place or a time that LogDB takes (a code of LogDB's own)" "参数 from 不合法（LogDB 自身的错误码）";
    8204 LOGDB_INVALID_SIZE _ InvalidArgument sdk "size is not a number that LogDB takes (a code of LogDB's own)" "参数 size 不合法（LogDB 自身的错误码）";
    8207 LOGDB_INVALID_END _ InvalidArgument sdk "to is not a time that LogDB takes (a code of LogDB's own)" "参数 to 不合法（LogDB 自身的错误码）";
    8301 LOGDB_INVALID_PARAMETER _ InvalidArgument sdk "a parameter is not one that LogDB takes (a code of LogDB's own)" "参数不合法（LogDB 自身的错误码）";

    // The server itself.
    9000 INTERNAL_ERROR _ Internal sdk "the service failed while handling the request" "服务端处理请求时发生内部错误";
    9001 NOT_IMPLEMENTED _ Internal sdk "this server does not implement the call; repeating it will not help" "服务端未实现该接口，重试无效";

    // Any request: its length, its body, its texts.
    18003 CONTENT_LENGTH_MISSING 411 InvalidArgument page "the request has no Content-Length header" "请求未携带 Content-Length 头";
    18004 INVALID_CONTENT_LENGTH 400 InvalidArgument page "the Content-Length header does not hold a usable length" "Content-Length 头的值不合法";
    18005 ENTITY_TOO_LARGE 413 Limit page "the request body is above the size limit; send it in smaller parts" "请求体超出大小上限，请拆分后发送";
    18006 ENTITY_EMPTY 400 InvalidArgument page "the request has no body, but the call needs one" "请求体为空，而该接口要求携带请求体";
    18007 MALFORMED_ENTITY 400 InvalidArgument page "the request body cannot be parsed, as JSON or as data points" "请求体无法解析，不是合法的 JSON 或数据点格式";
    18008 FIELD_TOO_LONG 400 InvalidArgument page "the text of a field is above the length limit" "某个字段的内容超长";

    // Variables and file filters in a request.
    18016 INVALID_VARIABLE_TYPE _ InvalidArgument sdk "a variable's type must be time or string" "变量类型只能是 time 或 string";
    18017 INVALID_VARIABLE_NAME _ InvalidArgument sdk "the variable's name breaks the naming rules" "变量名不符合命名规则";
    18018 INVALID_VARIABLE_VALUE _ InvalidArgument sdk "the variable's value does not suit its type" "变量的值与其类型不符";
    18019 INVALID_FILE_FILTER _ InvalidArgument sdk "the filter for files or paths is not usable" "文件或路径的过滤条件不合法";

    // Repos, their schemas, the data pushed to them; groups, too.
    18101 REPO_EXISTS 409 Conflict page "a repo of this name is there already" "同名仓库已存在";
    18102 REPO_NOT_FOUND 404 NotFound page "the account has no repo of this name" "当前账号下没有该仓库";
    18103 INVALID_REPO_NAME 400 InvalidArgument page "the repo's name breaks the naming rules" "仓库名不符合命名规则";
    18104 INVALID_DATE_OR_DUPLICATE_FIELD 400 InvalidArgument page "the date format is invalid, or a field appears twice" "日期格式有误，或字段重复";
    18105 SCHEMA_EMPTY 400 InvalidArgument page "the repo's schema lists no fields" "仓库的 schema 中没有任何字段";
    18106 INVALID_FIELD_NAME 400 InvalidArgument page "a field's name breaks the naming rules" "字段名不符合命名规则";
    18107 UNKNOWN_FIELD_TYPE 400 InvalidArgument page "a field has a type that the service does not offer" "字段使用了服务不支持的类型";
    18108 TOO_MANY_SOURCE_REPOS 400 Limit page "more source repos are named than the service allows" "源仓库过多，超出服务上限";
    18109 INVALID_REPO_MODE 400 InvalidArgument page "the repo's mode, or its schema, is not accepted" "仓库的模式（或 schema）不被接受";
    18110 INVALID_FIELD_FORMAT 400 InvalidArgument page "a value does not have the format of its field's type" "字段值的格式与字段类型不符";
    18111 FIELD_NOT_FOUND 404 NotFound page "the repo's schema lacks the field; may pass shortly after a schema change" "仓库 schema 中没有该字段；若刚改过 schema，稍后可能恢复";
    18112 REPO_HAS_DEPENDENTS 400 Conflict page "transforms or exports still hang on the repo; delete those first" "仍有计算任务或导出任务依赖该仓库，请先删除它们";
    18113 REPO_BEING_DELETED 409 InProgress page "the repo's deletion is still under way" "仓库正在删除，尚未完成";
    18117 INVALID_PLUGIN_NAME 400 InvalidArgument page "the plugin's name breaks the naming rules" "插件名不符合命名规则";
    18120 GROUP_NOT_FOUND 404 NotFound page "there is no group (shared resource pool) of this name" "没有该名称的共享资源池";
    18122 EXPORT_LOGDB_REPO_NOT_FOUND 404 NotFound page "the LogDB repo that the export should write to does not exist" "导出的目标仓库在 LogDB 中不存在";
    18123 DATA_SCHEMA_MISMATCH _ InvalidArgument sdk "the data does not match the repo's schema" "数据与仓库的 schema 不匹配";
    18124 REPO_BEING_CREATED 202 InProgress page "the repo is not ready yet, its creation is still under way" "仓库正在创建，尚不可用";
    18125 UNREADABLE_GZIP_BODY 400 InvalidArgument page "the pushed data is marked as gzip but cannot be unpacked" "写入数据的 gzip 请求体无法解压";
    18128 INCOMPATIBLE_SCHEMA _ Conflict sdk "the new schema clashes with the one that the repo has" "新 schema 与仓库现有的 schema 不兼容";
    18134 TOO_MANY_FIELDS 400 Limit page "the schema has more fields than the limit allows" "schema 的字段数超出上限";
    18135 FIELD_LIMIT_TOO_LOW 400 Limit page "the field limit asked for is lower than the number of fields in use" "指定的字段数上限低于现有字段数";
    18136 INVALID_REPO_DESCRIPTION _ InvalidArgument sdk "the repo's description is not accepted, perhaps too long" "仓库描述不合法，可能过长";
    18137 INVALID_FIELD_DESCRIPTION _ InvalidArgument sdk "the description of a schema field is not accepted, perhaps too long" "schema 字段的描述不合法，可能过长";
    18138 UNREADABLE_TAGS _ InvalidArgument sdk "the tags parameter of the URL cannot be decoded" "URL 中的 tags 参数无法解码";

    // Transforms, with the plugins and groups that they use.
    18201 TRANSFORM_EXISTS 409 Conflict page "a transform of this name is there already" "同名计算任务已存在";
    18202 TRANSFORM_NOT_FOUND 404 NotFound page "the repo has no transform of this name" "仓库上没有该计算任务";
    18203 UNKNOWN_TRANSFORM_TYPE 415 InvalidArgument page "the service does not offer transforms of this type" "服务不支持这种类型的计算任务";
    18204 SOURCE_IS_DESTINATION 409 InvalidArgument page "the transform's destination must differ from its source repo" "计算任务的目的仓库不能就是源仓库";
    18205 DESTINATION_REPO_TAKEN 409 Conflict page "another transform already writes to the destination repo" "目的仓库已归另一个计算任务使用";
    18206 REPO_BOUND_TO_TRANSFORM 400 Conflict page "the repo is a transform's destination; delete the transform instead" "该仓库是计算任务的目的仓库，只能随计算任务一起删除";
    18207 MALFORMED_TRANSFORM 400 InvalidArgument page "the transform's spec is not in the expected form" "计算任务的 spec 格式有误";
    18208 INVALID_INTERVAL 400 InvalidArgument page "the transform's interval is not one of those allowed" "计算任务的 interval 取值不合法";
    18209 INVALID_TRANSFORM_SQL 400 InvalidArgument page "the service does not accept the transform's SQL" "计算任务的 SQL 有误";
    18210 INVALID_TRANSFORM _ InvalidArgument sdk "the transform's spec says something the service does not accept" "计算任务的 spec 内容不合法";
    18211 INVALID_PLUGIN_OUTPUT_TYPE 400 InvalidArgument page "an output field of the transform's plugin has an unusable type" "计算任务中插件输出字段的类型不合法";
    18212 REPO_REGION_MISMATCH 400 InvalidArgument page "the repo's region is not that of the data centre" "仓库的区域与数据中心不一致";
    18213 INVALID_CONTAINER_TYPE 400 InvalidArgument page "the service has no containers of this type" "容器类型不合法";
    18214 INVALID_CONTAINER_COUNT 400 InvalidArgument page "the number of containers is outside the allowed range" "容器数量不在允许范围内";
    18215 GROUP_IN_USE 409 Conflict page "the group (shared resource pool) is in use" "共享资源池正被使用";
    18216 PLUGIN_NOT_FOUND 404 NotFound page "there is no plugin of this name" "没有该名称的插件";
    18217 PLUGIN_EXISTS 409 Conflict page "a plugin of this name is there already" "同名插件已存在";
    18218 GROUP_EXISTS 409 Conflict page "a group (shared resource pool) of this name is there already" "同名共享资源池已存在";
    18219 PLUGIN_LENGTH_MISMATCH 400 InvalidArgument page "the plugin received is not as long as Content-Length says; try again" "收到的插件长度与 Content-Length 不符，可重新上传";
    18220 PLUGIN_MD5_MISMATCH 400 InvalidArgument page "the plugin received does not have the MD5 of Content-MD5; try again" "收到的插件 MD5 与 Content-MD5 不符，可重新上传";
    18221 INVALID_GROUP_NAME 400 InvalidArgument page "the name of the group (shared resource pool) breaks the naming rules" "共享资源池的名称不符合命名规则";
    18222 GROUP_REGION_MISMATCH 400 InvalidArgument page "the group (shared resource pool) is in another region" "共享资源池位于其他区域";
    18223 DESTINATION_REPO_READ_ONLY 400 InvalidArgument page "the repo is a transform's destination; data cannot be pushed to it directly" "该仓库是计算任务的目的仓库，不能直接写入数据";
    18228 INVALID_SQL_FIELD _ InvalidArgument sdk "the SQL uses a field that it cannot use" "SQL 中使用了不合法的字段";
    18229 INVALID_DESTINATION_SCHEMA _ InvalidArgument sdk "the schema given for the destination repo is not usable" "为目的仓库指定的 schema 不合法";
    18230 DESTINATION_SCHEMA_SIZE_MISMATCH _ InvalidArgument sdk "the schema of the destination repo has too many or too few fields" "目的仓库 schema 的字段数量不对";

    // Exports as a whole.
    18301 EXPORT_EXISTS 409 Conflict page "an export of this name is there already" "同名导出任务已存在";
    18302 EXPORT_NOT_FOUND 404 NotFound page "the repo has no export of this name" "仓库上没有该导出任务";
    18303 EXPORT_SUBMIT_FAILED 400 InvalidArgument page "the export was not taken on; check its spec" "导出任务未能提交，请检查其 spec";
    18304 EXPORT_DELETE_FAILED 400 Internal page "the service failed to delete the export" "服务端未能删除导出任务";
    18305 INVALID_EXPORT 400 InvalidArgument page "the export is faulty, most likely in its spec" "导出任务有误，多半是 spec 不合法";
    18306 CANNOT_START_EXPORT _ Conflict sdk "starting the export is not possible" "无法启动导出任务";
    18307 CANNOT_STOP_EXPORT _ Conflict sdk "stopping the export is not possible" "无法停止导出任务";

    // What an export's spec says: fields, targets, file formats.
    18308 INVALID_SCHEMA_KEY _ InvalidArgument sdk "a key of the schema is not usable" "schema 中的 key 不合法";
    18309 INVALID_EXPORT_TIMESTAMP _ InvalidArgument sdk "the timestamp of the export is not usable" "导出的时间戳不合法";
    18310 INVALID_EXPORT_URL _ InvalidArgument sdk "the URL that the export should send to is not usable" "导出的目标 URL 不合法";
    18311 INVALID_TARGET_FIELD _ InvalidArgument sdk "a target field of the export is not usable" "导出的目标字段不合法";
    18312 FIELD_NOT_IN_REPO _ InvalidArgument sdk "the export names a field that the repo lacks" "导出引用了仓库中没有的字段";
    18313 SOURCE_FIELD_EMPTY _ InvalidArgument sdk "the export leaves a source field blank" "导出的源字段未填写";
    18314 UNKNOWN_EXPORT_FIELD _ InvalidArgument sdk "the export names a field that does not exist" "导出引用的字段不存在";
    18315 FIELD_TYPES_INCOMPATIBLE _ InvalidArgument sdk "the types of source and target do not go together" "源与目标的类型不兼容";
    18316 INVALID_EXPORT_FIELD_NAME _ InvalidArgument sdk "a field's name in the export is not usable" "导出中的字段名不合法";
    18317 EXPORT_FIELD_MISSING _ InvalidArgument sdk "the export lacks a field that it needs" "导出缺少必需的字段";
    18318 INVALID_EXPORT_FIELD_TYPE _ InvalidArgument sdk "a field's type in the export is not usable" "导出中的字段类型不合法";
    18319 EXPORT_FIELD_EMPTY _ InvalidArgument sdk "the export leaves a field blank" "导出中有字段未填写";
    18320 INVALID_KEY_PREFIX _ InvalidArgument sdk "the prefix for the names of exported files is not usable" "导出文件名的前缀不合法";
    18321 INVALID_EXPORT_FIELD_VALUE _ InvalidArgument sdk "a field's value in the export is not usable" "导出中的字段值不合法";
    18322 UNKNOWN_EXPORT_TYPE _ InvalidArgument sdk "the service does not offer exports of this type" "导出类型不合法";
    18323 EXPORT_BUCKET_NOT_FOUND _ NotFound sdk "the bucket that the export should write to does not exist" "导出的目标 bucket 不存在";
    18324 SOURCE_FIELD_PREFIX_MISSING _ InvalidArgument sdk "a source field lacks the # in front of its name" "源字段名前缺少前缀 #";
    18325 EXPORT_FIELD_TYPE_MISMATCH _ InvalidArgument sdk "a field of the export has the wrong type" "导出字段的类型不对";
    18326 EXPORT_TARGET_REPO_NOT_FOUND _ NotFound sdk "the repo that the export should write to does not exist" "导出的目标仓库不存在";
    18327 TSDB_SERIES_NOT_FOUND _ NotFound sdk "the series that the export should write to does not exist in TSDB" "导出的目标序列在 TSDB 中不存在";
    18328 INVALID_TSDB_TAG _ InvalidArgument sdk "a tag's name is not usable" "tag 名称不合法";
    18329 DUPLICATE_KEY _ InvalidArgument sdk "the same key is given twice" "key 重复";
    18330 CSV_DELIMITER_MISSING _ InvalidArgument sdk "the format csv needs a delimiter, none is given" "csv 格式未指定分隔符";
    18331 ROTATE_SIZE_TOO_LARGE _ InvalidArgument sdk "rotateSize is above what the service allows" "rotateSize 超出允许的最大值";
    18332 REPORT_DATABASE_NOT_FOUND _ NotFound sdk "the report database that the export should write to does not exist" "导出的目标报表数据库不存在";
    18333 REPORT_TABLE_NOT_FOUND _ NotFound sdk "the report table that the export should write to does not exist" "导出的目标报表数据表不存在";
    18334 EXPORT_DESTINATION_EMPTY _ InvalidArgument sdk "the export does not say where to write" "未指定导出目标";
    18335 INVALID_SOURCE_FIELD _ InvalidArgument sdk "a source field of the export is not usable" "导出的源字段不合法";
    18336 SOURCE_FIELD_EMPTY_OR_INVALID _ InvalidArgument sdk "a source field of the export is blank or not usable" "导出的源字段未填写或不合法";
    18337 HDFS_UNREACHABLE _ Unavailable sdk "the service cannot connect to HDFS at the moment" "服务端暂时连不上 HDFS";
    18338 FILE_STATUS_UNREADABLE _ Unavailable sdk "the service cannot read a file's status at the moment" "服务端暂时无法获取文件状态";
    18339 EXPORT_TYPE_SWITCHED_OFF _ Permission sdk "exports of this type are switched off" "该类型的导出已被停用";

    // Batch side: datasources, jobs, job exports, runs.
    18600 INVALID_DATASOURCE_NAME _ InvalidArgument sdk "the datasource's name breaks the naming rules" "离线数据源的名称不符合命名规则";
    18601 DATASOURCE_EXISTS _ Conflict sdk "a datasource of this name is there already" "同名离线数据源已存在";
    18602 DATASOURCE_NOT_FOUND _ NotFound sdk "there is no datasource of this name" "没有该名称的离线数据源";
    18603 DATASOURCE_HAS_DEPENDENTS _ Conflict sdk "something still depends on the datasource; delete that first" "离线数据源仍被依赖，请先删除下游任务";
    18604 INVALID_JOB_NAME _ InvalidArgument sdk "the job's name breaks the naming rules" "离线计算任务的名称不符合命名规则";
    18605 JOB_EXISTS _ Conflict sdk "a job of this name is there already" "同名离线计算任务已存在";
    18606 JOB_NOT_FOUND _ NotFound sdk "there is no job of this name" "没有该名称的离线计算任务";
    18607 JOB_ARGUMENT_COUNT_MISMATCH _ InvalidArgument sdk "the job is given too many or too few arguments" "离线计算任务的参数个数不对";
    18608 JOB_HAS_DEPENDENTS _ Conflict sdk "something still depends on the job; delete that first" "离线计算任务仍被依赖，请先删除下游任务";
    18609 INVALID_JOB_EXPORT_NAME _ InvalidArgument sdk "the job export's name breaks the naming rules" "离线导出任务的名称不符合命名规则";
    18610 JOB_EXPORT_EXISTS _ Conflict sdk "a job export of this name is there already" "同名离线导出任务已存在";
    18611 JOB_EXPORT_NOT_FOUND _ NotFound sdk "the job has no export of this name" "离线计算任务上没有该导出任务";
    18612 JOB_SOURCE_NOT_FOUND _ NotFound sdk "a datasource or job that the job reads from does not exist" "离线计算任务的某个来源不存在";
    18613 TABLE_NAME_REPEATED _ InvalidArgument sdk "two sources share a table name" "来源的表名重复";
    18614 MALFORMED_BATCH _ InvalidArgument sdk "the spec on the batch side is not accepted" "离线任务的 spec 不合法";
    18615 SOURCE_SCHEMAS_INCOMPATIBLE _ InvalidArgument sdk "the schemas of the sources do not go together" "各来源的 schema 互不兼容";
    18617 INVALID_PLUGIN _ InvalidArgument sdk "the plugin cannot be used for a transform" "该插件不能用于计算任务";
    18618 INVALID_JOB_SQL _ InvalidArgument sdk "the service does not accept the job's SQL" "离线计算任务的 SQL 有误";
    18619 BATCH_BUCKET_NOT_FOUND _ NotFound sdk "the bucket of the datasource or job export does not exist" "离线数据源或离线导出所用的 bucket 不存在";
    18620 DATASOURCE_HAS_NO_FILES _ NotFound sdk "no files are found in the datasource" "离线数据源中找不到任何文件";
    18621 CANNOT_START_JOB _ Conflict sdk "starting the job is not possible" "无法启动离线计算任务";
    18622 CANNOT_STOP_JOB _ Conflict sdk "stopping the job is not possible" "无法停止离线计算任务";
    18623 FILE_FORMAT_DIFFERS _ InvalidArgument sdk "the files have another format than the one stated" "文件的实际格式与声明的不一致";
    18624 JOB_RUN_NOT_FOUND _ NotFound sdk "the job has no run of this id" "离线计算任务没有该 runId 对应的运行记录";
    18625 CANNOT_RERUN_BATCH _ Conflict sdk "running the batch again is not possible" "该批次无法重跑";
    18626 BATCH_STATE_FORBIDS_STOP _ Conflict sdk "in its present state the batch cannot be stopped" "批次在当前状态下无法停止";

    // UDF: jars, classes, functions.
    18627 UDF_JAR_NOT_FOUND _ NotFound sdk "there is no UDF jar of this name" "没有该名称的 UDF jar 包";
    18628 INVALID_UDF_JAR_NAME _ InvalidArgument sdk "the UDF jar's name breaks the naming rules" "UDF jar 包的名称不符合命名规则";
    18629 INVALID_UDF_NAME _ InvalidArgument sdk "the UDF's name breaks the naming rules" "UDF 函数名不符合命名规则";
    18630 INVALID_JAVA_CLASS _ InvalidArgument sdk "the class name given is not a legal one in Java" "给出的 Java 类名不合法";
    18631 UDF_CLASS_KIND_MISMATCH _ InvalidArgument sdk "the UDF's class is not of the required kind" "UDF 类的种类不符合要求";
    18632 UDF_CLASS_NOT_FOUND _ NotFound sdk "the jar does not contain the UDF's class" "jar 包中找不到该 UDF 类";
    18633 UDF_METHOD_MISSING _ InvalidArgument sdk "the UDF's class does not implement the required method" "UDF 类没有实现所需的方法";
    18634 UDF_NOT_FOUND _ NotFound sdk "there is no UDF of this name" "没有该名称的 UDF 函数";
    18635 UDF_EXISTS _ Conflict sdk "a UDF of this name is there already" "同名 UDF 函数已存在";
    18636 UDF_JAR_EXISTS _ Conflict sdk "a UDF jar of this name is there already" "同名 UDF jar 包已存在";
    18637 UDF_NAME_RESERVED _ Conflict sdk "the UDF's name is that of a built-in function" "UDF 函数名与内置函数重名";

    // Paths.
    18638 INVALID_PATH _ InvalidArgument sdk "a path contains a character that is not allowed" "路径中含有不允许的字符";

    // Workflows, with what they start and stop.
    18639 INVALID_WORKFLOW_NAME 400 InvalidArgument page "the workflow's name breaks the naming rules" "工作流名称不符合命名规则";
    18640 WORKFLOW_EXISTS 409 Conflict page "a workflow of this name is there already" "同名工作流已存在";
    18641 WORKFLOW_NOT_FOUND 404 NotFound page "the workflow does not exist" "工作流不存在";
    18642 MALFORMED_WORKFLOW 400 InvalidArgument page "the workflow's content is not in the expected form" "工作流内容的格式有误";
    18643 WORKFLOW_UPDATE_FORBIDDEN _ Conflict sdk "in its present state the workflow may not be changed" "工作流在当前状态下不允许修改";
    18644 WORKFLOW_START_FORBIDDEN 400 Conflict page "the workflow may not be started: wrong state, or nothing in it can run" "工作流不允许启动：状态不对，或其中没有可运行的节点";
    18645 WORKFLOW_STOP_FORBIDDEN 400 Conflict page "the workflow may not be stopped: wrong state, or nothing in it is running" "工作流不允许停止：状态不对，或其中没有正在运行的节点";
    18646 INVALID_WORKFLOW_GRAPH _ InvalidArgument sdk "the nodes and edges do not form a valid workflow graph" "节点与连线构不成合法的工作流图";
    18647 CANNOT_START_TRANSFORM _ Conflict sdk "starting the transform is not possible" "无法启动计算任务";
    18648 CANNOT_STOP_TRANSFORM _ Conflict sdk "stopping the transform is not possible" "无法停止计算任务";
    18649 BATCH_STATE_FORBIDS_RERUN _ Conflict sdk "in its present state the batch cannot be run again" "批次在当前状态下无法重跑";
    18650 NOTHING_TO_RUN _ Conflict sdk "the workflow contains nothing that could run, such as a transform" "工作流中没有可运行的节点，例如计算任务";
    18651 INVALID_JOB_EXPORT _ InvalidArgument sdk "the job export's spec is not accepted" "离线导出任务的 spec 不合法";
    18652 TOO_MANY_REPOS _ Limit sdk "the workflow would create more repos than the service allows" "工作流要创建的仓库过多，超出服务上限";
    18653 SCHEDULED_AND_MANUAL_JOBS_MIXED _ InvalidArgument sdk "a workflow may hold scheduled jobs or manual jobs, not both" "同一工作流中不能既有定时任务又有手动任务";

    // Variables and times.
    18654 VARIABLE_NOT_FOUND _ NotFound sdk "there is no variable of this name" "没有该名称的变量";
    18655 VARIABLE_EXISTS _ Conflict sdk "a variable of this name is there already" "同名变量已存在";
    18656 VARIABLE_NAME_RESERVED _ Conflict sdk "the variable's name is that of a system variable" "变量名与系统变量重名";
    18657 UNDEFINED_VARIABLE_IN_SQL _ InvalidArgument sdk "the SQL uses a variable that is not defined" "SQL 中使用了未定义的变量";
    18658 INVALID_TIME_FORMAT _ InvalidArgument sdk "a time is not in the expected format" "时间的格式有误";

    // More on transforms, workflows and jobs: actions and names at odds with what is there.
    18660 CANNOT_UPDATE_TRANSFORM _ Conflict sdk "the transform does not allow this change" "计算任务不允许这样修改";
    18661 WORKFLOW_NAME_TAKEN _ Conflict sdk "a repo or a datasource already has the workflow's name" "工作流名称已被仓库或离线数据源占用";
    18662 CANNOT_RERUN_OR_CANCEL_JOB _ Conflict sdk "running the job again or cancelling it is not possible" "无法重跑或取消离线计算任务";
    18663 CANNOT_START_OR_STOP_BATCH_JOB _ Conflict sdk "starting or stopping the batch job is not possible" "无法启动或停止该批处理任务";

    // Accounts and rights.
    18664 RESOURCE_OWNER_NOT_FOUND _ NotFound sdk "the account named in X-Resource-Owner does not exist" "X-Resource-Owner 指定的账号不存在";
    18665 ACCESS_DENIED _ Permission sdk "the account has no right to do this" "当前账号无权执行此操作";
    18669 ACCOUNT_IN_ARREARS _ Permission sdk "the account is in arrears and therefore restricted" "账号欠费，使用受限";
    18670 ACCOUNT_FROZEN _ Permission sdk "the account is frozen" "账号已被冻结";

    // Restarts; paths of CDN (fusion) datasources.
    18703 TRANSFORM_RESTARTING _ InProgress sdk "the transform is already being restarted" "计算任务已在重启中，请勿重复操作";
    18704 STRING_VARIABLE_IN_CDN_PATH _ InvalidArgument sdk "the path of a CDN (fusion) datasource uses a string variable" "CDN（fusion）数据源的路径使用了 string 类型的变量";
    18705 UNDEFINED_VARIABLE_IN_CDN_PATH _ InvalidArgument sdk "the path of a CDN (fusion) datasource uses a variable that is not defined" "CDN（fusion）数据源的路径使用了未定义的变量";
}
