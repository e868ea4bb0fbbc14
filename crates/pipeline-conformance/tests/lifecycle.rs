//! Both clients against the emulator, over real HTTP, with signatures checked strictly.

use std::{sync::Arc, task::Poll, thread, time::Duration};

use http::{HeaderValue, StatusCode};
use pipeline_conformance::{BlockingDriver, Driver, HyperDriver};
use pipeline_emulator::{
    Account, ClockSkew, Emulator, InjectedFault, Transition,
    server::{Server, ServerThread},
};
use pipeline_proto::{
    Auth, CallOptions, Credentials, Effect, ErrorCode, ErrorKind, NodeName, Region,
    TokenDescriptor, WorkflowName,
    model::{Node, NodeType, Nodes, Status},
    name::{DatasourceName, GroupName, JobName},
    resource::workflow::{
        CreateWorkflow, DeleteWorkflow, GetWorkflow, GetWorkflowStatus, ListWorkflows, SearchLogs,
        StartWorkflow, StopWorkflow, UpdateWorkflow,
    },
    resource::{
        datasource::CreateDatasource,
        group::CreateGroup,
        job::{Batch, BatchStatus, CreateJob, DeleteJob, StopBatch},
    },
    wait::{Goal, JobRun, WaitFailure, WaitOptions},
};

pipeline_conformance::suite! {
    a_whole_life
    a_clock_twenty_minutes_off_is_overcome
    wrong_keys_are_not_tried_again
    a_token_is_enough_for_the_one_thing_it_permits
    ensuring_is_right_from_every_state
    jobs_their_runs_and_groups_are_waited_for
    a_delete_whose_answer_was_lost_is_a_success
    a_put_off_create_is_sent_again
}

fn name() -> WorkflowName {
    WorkflowName::from_static("clicks")
}

fn emulator(transition: Transition) -> ServerThread {
    let emulator = Emulator::builder()
        .account(Account::new("1").key("ak", "sk"))
        .transitions(transition)
        .build();
    Server::on_loopback(emulator).unwrap()
}

/// A message queue and its export.
fn nodes() -> Nodes {
    let node = |name, node_type, data: &str| {
        Node::new(
            NodeName::from_static(name),
            node_type,
            data.parse().unwrap(),
        )
    };
    let mut queue = node(
        "source",
        NodeType::Repo,
        r#"{"region":"nb","schema":[{"key":"url","valtype":"string"}]}"#,
    );
    let mut export = node(
        "archive",
        NodeType::Export,
        r##"{"type":"kodo","spec":{"bucket":"b","fields":{"url":"#url"}}}"##,
    );
    queue.children.push(export.to_ref());
    export.parents.push(queue.to_ref());
    [queue, export]
        .into_iter()
        .map(|node| (node.id(), node))
        .collect()
}

/// Whatever is read from JSON.
fn of<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap()
}

fn jobs_their_runs_and_groups_are_waited_for<D: Driver>() {
    let server = emulator(Transition::After(Duration::from_millis(5)));
    let client = D::new(&server.url(), |settings| settings);

    let group = GroupName::from_static("pool");
    let container = of(r#"{"container":{"type":"1U2G","count":1}}"#);
    client
        .send(CreateGroup::new(group.clone(), container))
        .unwrap();
    client.ensure(&group, Goal::Started, quick()).unwrap();
    let seen = client.ensure(&group, Goal::Stopped, quick()).unwrap();
    assert_eq!(seen.to_string(), "Stopped");

    let (files, job) = (
        DatasourceName::from_static("files"),
        JobName::from_static("daily"),
    );
    let spec = of(
        r#"{"type":"kodo","spec":{"bucket":"bkt","fileType":"json"},"schema":[{"key":"a","valtype":"long"}]}"#,
    );
    client.send(CreateDatasource::new(files, spec)).unwrap();
    let spec = of(
        r#"{"srcs":[{"name":"files","type":"datasource","tableName":"t"}],"computation":{"code":"select 1","type":"sql"},
            "container":{"type":"1U2G","count":1},"scheduler":{"type":"manual"}}"#,
    );
    client.send(CreateJob::new(job.clone(), spec)).unwrap();
    client.ensure(&job, Goal::Started, quick()).unwrap();
    let seen = client
        .wait(JobRun::latest(job.clone()), Goal::Stopped, quick())
        .unwrap();
    let run = &seen.state.unwrap().runs[0];
    assert_eq!(
        (run.run_id, &run.status),
        (Some(1), &BatchStatus::Successful)
    );
    client.wait(job.clone(), Goal::Stopped, quick()).unwrap();

    // It has run, and so it runs again.
    let run = JobRun::new(job.clone(), 1);
    let seen = client.ensure(&run, Goal::Started, quick()).unwrap();
    assert_eq!(seen.to_string(), "Running");
    client.send(StopBatch::new(Batch::of(&job, 1))).unwrap();
    let seen = client.wait(run, Goal::Stopped, quick()).unwrap();
    assert_eq!(seen.to_string(), "Canceled");

    client.send(DeleteJob::new(job.clone())).unwrap();
    client.wait(job.clone(), Goal::Deleted, quick()).unwrap();
    let error = client
        .wait(JobRun::new(job, 1), Goal::Stopped, quick())
        .unwrap_err();
    assert!(
        matches!(error.failure(), WaitFailure::NotFound(_)),
        "{error}"
    );
}

fn quick() -> WaitOptions {
    WaitOptions::default()
        .interval(Duration::from_millis(2))
        .timeout(Duration::from_secs(20))
}

fn a_whole_life<D: Driver>() {
    let server = emulator(Transition::AfterReads(2));
    let client = D::new(&server.url(), |settings| settings);
    client
        .send(CreateWorkflow::new(name()).comment("点击流 <all>"))
        .unwrap();
    assert_eq!(
        client.send(CreateWorkflow::new(name())).unwrap_err().code(),
        Some(ErrorCode::WORKFLOW_EXISTS)
    );

    let list = client.send(ListWorkflows::new()).unwrap();
    assert_eq!(
        (list.len(), list[0].comment.as_str(), list[0].can_start),
        (1, "点击流 <all>", Some(false))
    );
    let refused = client.send(StartWorkflow::new(name())).unwrap_err();
    assert_eq!(
        (refused.kind(), refused.effect()),
        (ErrorKind::Conflict, Effect::None)
    );

    client.send(UpdateWorkflow::new(name(), nodes())).unwrap();
    let workflow = client.send(GetWorkflow::new(name())).unwrap();
    assert_eq!(workflow.nodes.as_ref(), Some(&nodes()));
    assert_eq!(
        (workflow.can_start, workflow.status),
        (Some(true), Status::Ready)
    );

    client.send(StartWorkflow::new(name())).unwrap();
    let state = client.send(GetWorkflowStatus::new(name())).unwrap();
    assert_eq!((state.status, state.nodes.len()), (Status::Starting, 2));
    client.wait(name(), Goal::Started, quick()).unwrap();
    let refused = client
        .send(UpdateWorkflow::new(name(), nodes()))
        .unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::WORKFLOW_UPDATE_FORBIDDEN));
    assert!(
        !client
            .send(SearchLogs::new(name()))
            .unwrap()
            .status
            .is_empty()
    );

    client.send(StopWorkflow::new(name())).unwrap();
    client.wait(name(), Goal::Stopped, quick()).unwrap();
    client.send(DeleteWorkflow::new(name())).unwrap();
    client.wait(name(), Goal::Deleted, quick()).unwrap();
    assert_eq!(
        client.send(GetWorkflow::new(name())).unwrap_err().code(),
        Some(ErrorCode::WORKFLOW_NOT_FOUND)
    );
}

fn a_clock_twenty_minutes_off_is_overcome<D: Driver>() {
    let server = emulator(Transition::Immediate);
    server.with(|emulator| {
        emulator.set_clock_offset(ClockSkew::Ahead(Duration::from_secs(20 * 60)));
    });
    let client = D::new(&server.url(), |settings| settings);
    client.send(CreateWorkflow::new(name())).unwrap();
    client.send(ListWorkflows::new()).unwrap();
    let statuses: Vec<_> = server.with(|emulator| {
        emulator
            .requests()
            .map(|request| request.status.as_u16())
            .collect()
    });
    assert_eq!(statuses, [401, 200, 200]);
}

fn wrong_keys_are_not_tried_again<D: Driver>() {
    let server = emulator(Transition::Immediate);
    let client = D::new(&server.url(), |mut settings| {
        settings.auth = Credentials::new("ak", "a-wrong-secret").unwrap().into();
        settings
    });
    let error = client.send(ListWorkflows::new()).unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (ErrorKind::Unauthorized, 1)
    );
    assert!(
        error
            .to_string()
            .contains("check the access key and the secret key"),
        "{error}"
    );
}

fn a_token_is_enough_for_the_one_thing_it_permits<D: Driver>() {
    let server = emulator(Transition::Immediate);
    let keys = Credentials::new("ak", "sk").unwrap();
    let in_an_hour = std::time::SystemTime::now() + Duration::from_secs(3600);
    let token = TokenDescriptor::new(&http::Method::GET, "/v2/workflows", in_an_hour).mint(&keys);
    let client = D::new(&server.url(), |mut settings| {
        settings.auth = Auth::Anonymous;
        settings
    });
    let options = CallOptions::new().auth(token);
    assert!(
        client
            .send_with(ListWorkflows::new(), options.clone())
            .unwrap()
            .is_empty()
    );
    let error = client
        .send_with(GetWorkflow::new(name()), options)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(
        error.to_string().contains("its resource differs"),
        "{error}"
    );
    let error = client.send(ListWorkflows::new()).unwrap_err();
    assert!(
        error.to_string().contains("neither keys nor a token"),
        "{error}"
    );
}

fn ensuring_is_right_from_every_state<D: Driver>() {
    let server = emulator(Transition::AfterReads(1));
    let client = D::new(&server.url(), |settings| settings);
    client.send(CreateWorkflow::new(name())).unwrap();
    client.send(UpdateWorkflow::new(name(), nodes())).unwrap();
    let status = || client.send(GetWorkflow::new(name())).unwrap().status;
    for _ in 0..2 {
        client.ensure(&name(), Goal::Started, quick()).unwrap();
        assert_eq!(status(), Status::Started);
        client.ensure(&name(), Goal::Started, quick()).unwrap();
        client.send(StopWorkflow::new(name())).unwrap();
        client.ensure(&name(), Goal::Started, quick()).unwrap();
        assert_eq!(status(), Status::Started);
        client.ensure(&name(), Goal::Stopped, quick()).unwrap();
        client.ensure(&name(), Goal::Stopped, quick()).unwrap();
        client.send(StartWorkflow::new(name())).unwrap();
        client.ensure(&name(), Goal::Stopped, quick()).unwrap();
        assert_eq!(status(), Status::Stopped);
    }
}

fn a_delete_whose_answer_was_lost_is_a_success<D: Driver>() {
    let server = emulator(Transition::Immediate);
    let client = D::new(&server.url(), |settings| settings);
    client.send(CreateWorkflow::new(name())).unwrap();
    let lost = InjectedFault::status(StatusCode::BAD_GATEWAY)
        .on("delete_workflow")
        .after_effect()
        .times(1);
    server.with(|emulator| emulator.inject(lost));
    client.send(DeleteWorkflow::new(name())).unwrap();
    // One that was not there in the first place is another matter.
    let error = client.send(DeleteWorkflow::new(name())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

fn a_put_off_create_is_sent_again<D: Driver>() {
    let server = emulator(Transition::Immediate);
    let client = D::new(&server.url(), |settings| settings);
    let put_off = InjectedFault::status(StatusCode::SERVICE_UNAVAILABLE)
        .retry_after(Duration::ZERO)
        .times(1);
    server.with(|emulator| emulator.inject(put_off.on("create_workflow")));
    let region = Region::new("nb").unwrap();
    client
        .send(CreateWorkflow::new(name()).region(region))
        .unwrap();
    server.with(|emulator| {
        emulator.inject(
            InjectedFault::status(StatusCode::SERVICE_UNAVAILABLE)
                .on("create_workflow")
                .times(1),
        );
    });
    let error = client
        .send(CreateWorkflow::new(WorkflowName::from_static("other")))
        .unwrap_err();
    assert_eq!((error.attempts(), error.effect()), (1, Effect::Possible));
}

#[test]
fn names_are_checked_before_anything_is_sent() {
    let server = emulator(Transition::Immediate);
    let blocking = BlockingDriver::new(&server.url(), |settings| settings);
    let error = blocking.0.get_workflow("../admin").send().unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (ErrorKind::InvalidRequest, 0)
    );
    assert_eq!(error.operation(), "get_workflow");
    let hyper = HyperDriver::new(&server.url(), |settings| settings);
    let error = hyper
        .runtime
        .block_on(
            hyper
                .client
                .delete_workflow(String::from("a\n"))
                .into_future(),
        )
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(server.with(|emulator| emulator.requests().count()), 0);
}

#[test]
fn a_future_dropped_at_any_await_leaves_the_client_usable() {
    let server = emulator(Transition::Immediate);
    let driver = HyperDriver::new(&server.url(), |settings| settings);
    let client = &driver.client;
    driver.runtime.block_on(async {
        client.create_workflow("clicks").await.unwrap();
        // However far a call got when it is dropped, the next one works.
        for polls in 0..12 {
            let mut call = client.get_workflow("clicks").into_future();
            for _ in 0..polls {
                let ready = std::future::poll_fn(|context| {
                    Poll::Ready(call.as_mut().poll(context).is_ready())
                })
                .await;
                if ready {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(call);
            assert_eq!(client.get_workflow("clicks").await.unwrap().name, "clicks");
        }
    });
}

#[test]
fn one_client_serves_many_threads() {
    let server = emulator(Transition::Immediate);
    let client = Arc::new(BlockingDriver::new(&server.url(), |settings| settings));
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let client = Arc::clone(&client);
            thread::spawn(move || {
                for round in 0..10 {
                    let name = WorkflowName::new(format!("wf_{thread}_{round}")).unwrap();
                    client.send(CreateWorkflow::new(name.clone())).unwrap();
                    client.send(GetWorkflow::new(name)).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(client.send(ListWorkflows::new()).unwrap().len(), 40);
}

#[test]
fn many_futures_share_one_client() {
    let server = emulator(Transition::Immediate);
    let driver = HyperDriver::new(&server.url(), |settings| settings);
    driver.runtime.block_on(async {
        let calls: Vec<_> = (0..40)
            .map(|number| {
                let client = driver.client.clone();
                tokio::spawn(async move { client.create_workflow(format!("wf_{number}")).await })
            })
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
        assert_eq!(driver.client.list_workflows().await.unwrap().len(), 40);
    });
}

#[test]
fn the_owner_goes_with_every_call() {
    let server = emulator(Transition::Immediate);
    let client = BlockingDriver::new(&server.url(), |settings| settings);
    let options = CallOptions::new().resource_owner("1".parse().unwrap());
    client
        .send_with(CreateWorkflow::new(name()), options.clone())
        .unwrap();
    client
        .send_with(DeleteWorkflow::new(name()), options)
        .unwrap();
    let one = HeaderValue::from_static("1");
    server.with(|emulator| {
        assert!(
            emulator
                .requests()
                .all(|request| request.headers.get("x-resource-owner") == Some(&one))
        );
    });
}
