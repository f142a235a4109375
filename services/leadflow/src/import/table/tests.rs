use std::io::Write as _;

use super::*;

fn open(content: &[u8], delimiter: Option<&str>, encoding: Option<&str>) -> Result<Table> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    Table::open(file.path(), delimiter, encoding)
}

fn lines(mut table: Table) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    while let Some(line) = table.next_line().unwrap() {
        let problem = line.problem.map(|(reason, _)| format!(" !{reason}")).unwrap_or_default();
        found.push((line.number, format!("{}{problem}", line.cells.join("|"))));
    }
    found
}

fn read(content: &[u8]) -> Vec<(u64, String)> {
    lines(open(content, None, None).unwrap())
}

fn refused(content: &[u8]) -> String {
    format!("{:#}", open(content, None, None).map(|_| ()).unwrap_err())
}

#[test]
fn lines_have_the_numbers_that_an_editor_shows() {
    let expected = [(2, "1|2".to_owned()), (5, "x\ny|3".to_owned()), (8, "4|5".to_owned())];
    for end in ["\n", "\r\n", "\r"] {
        let content = ["a,b", "1,2", "", " , ", "\"x", "y\",3", "", "4,5"].join(end);
        assert_eq!(read(content.as_bytes()), expected, "{end:?}");
        assert_eq!(read(format!("{content}{end}").as_bytes()), expected, "{end:?} at the end");
    }
}

#[test]
fn what_spreadsheets_write_is_read() {
    assert_eq!(
        read(b"\xef\xbb\xbfName;Ort\r\n\"M\xc3\xbcller; Sohn\";K\xc3\xb6ln\r\n"),
        [(2, "Müller; Sohn|Köln".into())]
    );
    assert_eq!(read(b"sep=|\r\na|b\r\n1,5|2\r\n"), [(3, "1,5|2".into())]);
    assert_eq!(read(b"a\tb\n1\t\"say \"\"hi\"\"\"\n"), [(2, "1|say \"hi\"".into())]);
    assert_eq!(read(b"email\nanna@example.com\n"), [(2, "anna@example.com".into())]);
    assert_eq!(read(b"a,b\n1,2,,\n"), [(2, "1|2".into())], "empty columns behind the last");
    let said = open(b"a,b;c\n1;2\n", Some(";"), None).unwrap();
    assert_eq!(said.header, ["a,b", "c"]);
}

#[test]
fn a_line_of_another_width_is_named_and_the_next_is_read() {
    let found = read(b"a,b\n1\n1,2,3\n1,2\n");
    assert_eq!(found, [(2, "1 !WRONG_COLUMNS".into()), (3, "1|2|3 !WRONG_COLUMNS".into()), (4, "1|2".into())]);
}

#[test]
fn what_is_not_utf_8_is_named_and_shown_as_it_probably_was() {
    let content = b"a,b\nM\xfcller,1\nMaier,2\n";
    assert_eq!(read(content), [(2, "Müller|1 !INVALID_ENCODING".into()), (3, "Maier|2".into())]);
    assert_eq!(lines(open(content, None, Some("windows-1252")).unwrap())[0], (2, "Müller|1".into()));
    for encoding in ["utf-16le", "klingon"] {
        assert!(open(content, None, Some(encoding)).is_err(), "{encoding}");
    }
}

#[test]
fn a_file_that_is_no_csv_is_refused_with_what_to_do() {
    assert!(refused(b"").contains("is empty"));
    assert!(refused(b"\n\r\n ,,\n").contains("is empty"));
    assert!(refused(b"\xff\xfea\0,\0").contains("UTF-16"));
    assert!(refused(b"PK\x03\x04\x14\0").contains("workbook"));
    assert!(refused(b"a,b\n\0\n").contains("no text"));
    assert!(refused(b"caf\xe9,b\n").contains("header is not UTF-8"));
    assert!(refused(&vec![b'x'; 3 << 20]).contains("quote"));
    assert!(open(b"a", Some("::"), None).is_err());
}

#[test]
fn an_open_quote_does_not_take_all_of_the_memory() {
    let mut content = b"a,b\n1,2\n\"open,3\n".to_vec();
    content.extend(b"4,5\n".repeat(1 << 20));
    let mut table = open(&content, None, None).unwrap();
    assert_eq!(table.next_line().unwrap().unwrap().number, 2);
    let error = format!("{:#}", table.next_line().unwrap_err());
    assert!(error.contains("after line 3") && error.contains("quote"), "{error}");
}
