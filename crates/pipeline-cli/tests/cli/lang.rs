//! Errors in the user's language.

use pipeline_emulator::Transition;

use crate::support::{Ran, Run as _, Service, pipeline};

/// The one line of a failure in Chinese.
#[track_caller]
fn failed(ran: &Ran, code: i32) -> String {
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{ran:?}");
    let line = ran.stderr.strip_prefix("错误：").unwrap_or_default();
    assert_eq!(line.matches('\n').count(), 1, "{ran:?}");
    line.to_owned()
}

#[test]
fn errors_are_explained_in_chinese() {
    let service =
        Service::with(|builder| builder.transitions(Transition::Stuck)).with_workflow("w");
    let run = |arguments: &[&str]| service.run(&[arguments, &["--lang", "zh"]].concat());
    let line = failed(&run(&["workflow", "get", "gone"]), 3);
    assert!(
        line.contains("E18641，") && line.contains("（HTTP 404"),
        "{line}"
    );
    // The service's own sentence says the same in English.
    assert!(line.contains("工作流不存在：\"gone\""), "{line}");
    let gone = run(&["workflow", "wait", "gone", "--for", "deleted"]);
    assert!(gone.stderr.contains("没有工作流 gone"), "{gone:?}");
    for (line, says) in [
        ("workflow ls", "这里的写法是：pipeline workflow list"),
        ("workflow get cl*", "通配符写成 --selector 'name=cl*'"),
        (
            "workflow list -l name=none*x",
            "没有符合 name=none*x 的工作流",
        ),
        ("token verify", "需要一个令牌"),
        ("workflow list nobody", "错误：nobody：没有这个工作流"),
        ("workflow delete w", "请加上 --yes 重新运行"),
    ] {
        let ran = run(&line.split(' ').collect::<Vec<_>>());
        assert!(ran.stderr.contains(says), "{ran:?}");
    }
    let line = failed(&run(&["workflow", "create", "w"]), 5);
    assert!(line.contains("E18640，"), "{line}");
    let start = ["workflow", "start", "w", "--wait", "--timeout", "100ms"];
    let line = failed(&run(&start), 6);
    assert!(line.contains("仍未启动"), "{line}");
    let wrong = service
        .command(&["workflow", "list", "--lang", "zh"])
        .env("PANDORA_SECRET_KEY", "wrong")
        .output();
    let line = failed(&Ran::of(wrong.unwrap()), 4);
    assert!(line.contains("请检查 access key"), "{line}");
}

#[cfg(unix)]
#[test]
fn what_is_gone_or_interrupted_is_said_in_chinese() {
    use crate::support::{is_ignored, signal};

    if is_ignored("INT") {
        return;
    }
    let service = Service::new().with_workflow("w");
    let watch = "workflow watch w --interval 5ms --lang zh";
    let mut watch = service.command(&watch.split(' ').collect::<Vec<_>>());
    let start = |command: &mut std::process::Command| {
        let piped = std::process::Stdio::piped;
        command.stdout(piped()).stderr(piped()).spawn().unwrap()
    };
    let child = start(&mut watch);
    service.when_asked(2);
    service.run(&["workflow", "delete", "w", "--yes"]).ok();
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert!(ran.stdout.ends_with("\nw  已不存在\n"), "{ran:?}");
    let service = Service::new().with_workflow("w");
    let child = start(watch.env("PANDORA_ENDPOINT", service.server.url()));
    service.when_asked(2);
    signal(&child, "INT");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.stderr, "错误：已中断\n");
}

#[test]
fn the_locale_chooses_and_the_option_overrules_it() {
    let list = |locale: &str, option: &[&str]| {
        let arguments = [
            &["workflow", "list", "--endpoint", "http://127.0.0.1:1"],
            option,
        ]
        .concat();
        pipeline(&arguments).env("LANG", locale).ran()
    };
    assert!(failed(&list("zh_CN.UTF-8", &[]), 4).contains("没有凭证"));
    assert!(
        list("zh_CN.UTF-8", &["--lang", "en"])
            .failed(4)
            .contains("no credentials")
    );
    assert!(
        list("en_GB.UTF-8", &[])
            .failed(4)
            .contains("no credentials")
    );
}

#[test]
fn codes_are_explained_in_both_languages_with_the_users_first() {
    let explain = |lang: &str| pipeline(&["explain", "E18641", "--lang", lang]).ran().ok();
    let (english, chinese) = (explain("en"), explain("zh"));
    assert!(english.find("Meaning") < english.find("含义"), "{english}");
    assert!(chinese.find("含义") < chinese.find("Meaning"), "{chinese}");
    assert!(chinese.contains("退出码"), "{chinese}");
}
