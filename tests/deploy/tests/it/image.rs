//! The image: a Dockerfile without known mistakes, whose context holds what the build needs.

use std::process::Command;

use cargo_metadata::MetadataCommand;

use crate::tools::{deploy, run, tool};

#[test]
fn the_dockerfile_has_no_known_mistakes() {
    run(Command::new(tool("hadolint")).arg("--failure-threshold").arg("info").arg(deploy().join("Dockerfile")));
}

#[test]
fn the_image_starts_the_binary_as_a_user_that_is_not_root() {
    let text = std::fs::read_to_string(deploy().join("Dockerfile")).unwrap();
    let last = text.rsplit("\nFROM ").next().unwrap();
    let says = |word: &str| last.lines().find_map(|line| line.strip_prefix(word)).unwrap_or_default().trim().to_owned();
    assert_eq!(says("ENTRYPOINT"), r#"["/usr/local/bin/leadflow"]"#);
    assert_eq!(says("USER"), "65532:65532");
    assert!(says("CMD").is_empty(), "the manifests give the arguments");
}

#[test]
fn the_context_of_the_build_holds_the_whole_workspace_and_no_more() {
    let ignore = std::fs::read_to_string(deploy().join("Dockerfile.dockerignore")).unwrap();
    let kept: Vec<_> = ignore.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let root = leadflow_harness::repository().canonicalize().unwrap();
    let metadata = MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec().unwrap();
    for package in metadata.packages {
        let folder = package.manifest_path.as_std_path().strip_prefix(&root).unwrap().to_owned();
        assert!(kept.iter().any(|kept| folder.starts_with(kept)), "{} is not in {kept:?}", folder.display());
    }
    assert!(ignore.lines().any(|line| line == "*"), "all else is left out");
    assert!([".cargo", "Cargo.toml", "Cargo.lock"].iter().all(|file| kept.contains(file)), "{kept:?}");
}
