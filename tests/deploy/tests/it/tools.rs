//! The tools that `scripts/install deploy-tools` has put below `target/`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value as Json;

/// Kubernetes objects.
pub(crate) type Objects = Vec<Json>;

/// The overlays, each a whole installation.
pub(crate) const OVERLAYS: [&str; 2] = ["local", "production"];

/// The folder `deploy`.
pub(crate) fn deploy() -> PathBuf {
    leadflow_harness::repository().join("deploy").canonicalize().unwrap()
}

/// One of the tools.
pub(crate) fn tool(name: &str) -> PathBuf {
    let path = leadflow_harness::repository().join("target/deploy-tools/bin").join(name);
    assert!(path.exists(), "{name} is missing: run `scripts/install deploy-tools`, or `make test`");
    path.canonicalize().unwrap()
}

/// The binary, as it was built beside these tests.
pub(crate) fn binary() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.ancestors().nth(2).unwrap().join("leadflow");
    assert!(path.exists(), "{} is missing: run `cargo build` first, or `make test`", path.display());
    path
}

/// Runs a command to its end, which has to be a good one, and returns what it prints.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{out}\n{error}");
    out.into_owned()
}

/// The text of an overlay, as `kubectl apply --kustomize` would apply it.
pub(crate) fn render(overlay: &str) -> String {
    let folder = deploy().join("kubernetes/overlays").join(overlay);
    run(Command::new(tool("kubectl")).arg("kustomize").arg(folder))
}

/// The objects in a text of YAML.
pub(crate) fn objects(yaml: &str) -> Objects {
    serde_saphyr::from_multiple(yaml).unwrap()
}

/// The objects in a file of YAML.
pub(crate) fn read(path: &Path) -> Objects {
    objects(&std::fs::read_to_string(path).unwrap())
}

/// The objects of a kind.
pub(crate) fn of_kind<'a>(objects: &'a [Json], kind: &'a str) -> impl Iterator<Item = &'a Json> {
    objects.iter().filter(move |object| object["kind"] == kind)
}

/// The object of this kind and name.
pub(crate) fn find<'a>(objects: &'a [Json], kind: &str, name: &str) -> Option<&'a Json> {
    objects.iter().find(|object| object["kind"] == kind && self::name(object) == name)
}

/// An object's name.
pub(crate) fn name(object: &Json) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

/// The elements of a list, none where there is no list.
pub(crate) fn list(value: &Json) -> &[Json] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A text, or the empty one.
pub(crate) fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}
