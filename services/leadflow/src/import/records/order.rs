//! The lines of a file, those first that others belong to: so that a parent may stand behind its children.

use std::collections::HashMap;

use anyhow::Result;
use leadflow_contact::domain::normal::company_key;

use super::{field::Word, row::Reading};
use crate::import::table::{Line, Table};

/// Levels of a hierarchy at the most; what is deeper is a circle.
const MAX_LEVELS: usize = 32;

/// Reads a file once for each level of its hierarchy; contacts are all on one.
pub(crate) struct Rows<O> {
    open: O,
    table: Table,
    /// Of each line; none where it belongs to itself. Empty: all are on the first.
    levels: Vec<Option<u8>>,
    level: u8,
    last_level: u8,
    index: usize,
}

/// A line, and whether it stands above itself in the file.
pub(crate) type Next = (Line, bool);

impl<O: Fn() -> Result<Table>> Rows<O> {
    /// The lines of the file that `open` opens.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn new(open: O, reading: &Reading) -> Result<Self> {
        let levels = if reading.columns.contains(&Word("parent")) { levels(open()?, reading)? } else { Vec::new() };
        let last_level = levels.iter().flatten().copied().max().unwrap_or_default();
        Ok(Self { table: open()?, open, levels, level: 0, last_level, index: 0 })
    }

    /// How far the file is read, of all the times that it has to be.
    pub(crate) fn position(&self, bytes: u64) -> u64 {
        (bytes * u64::from(self.level) + self.table.position()) / (u64::from(self.last_level) + 1)
    }

    /// The next line; none when all were read.
    ///
    /// # Errors
    /// When the file cannot be read on.
    pub(crate) fn next(&mut self) -> Result<Option<Next>> {
        loop {
            match self.table.next_line()? {
                Some(line) => {
                    let level = self.levels.get(self.index).copied().unwrap_or(Some(0));
                    self.index += 1;
                    // What belongs to itself comes with the first.
                    if level.unwrap_or(0) == self.level {
                        return Ok(Some((line, level.is_none())));
                    }
                }
                None if self.level == self.last_level => return Ok(None),
                None => {
                    self.level += 1;
                    self.index = 0;
                    self.table = (self.open)()?;
                }
            }
        }
    }
}

/// How many accounts of the file stand above each line.
fn levels(mut table: Table, reading: &Reading) -> Result<Vec<Option<u8>>> {
    let (mut by_reference, mut by_name, mut parents) = (HashMap::new(), HashMap::new(), Vec::new());
    while let Some(line) = table.next_line()? {
        let says = |word| reading.text(&line, Word(word)).unwrap_or_default();
        let index = parents.len();
        by_reference.entry(says("reference")).or_insert(index);
        by_name.entry(company_key(&says("name"))).or_insert(index);
        parents.push(says("parent"));
    }
    let above = |index: usize| -> Option<usize> {
        let parent = Some(&parents[index]).filter(|parent| !parent.is_empty())?;
        by_reference.get(parent).or_else(|| by_name.get(&company_key(parent))).copied()
    };
    let level = |index: usize| {
        let mut at = index;
        for level in 0..MAX_LEVELS {
            let Some(next) = above(at) else { return u8::try_from(level).ok() };
            at = next;
        }
        None
    };
    Ok((0..parents.len()).map(level).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::import::mapping::Saved;
    use crate::import::records::field::{Kind, columns};

    fn read(file: &Path) -> Vec<(u64, bool)> {
        let open = || Table::open(file, None, None);
        let header = open().unwrap().header;
        let columns = columns(&header, &Saved::default(), &[], Kind::Accounts).unwrap();
        let reading =
            Reading { kind: Kind::Accounts, header, columns, values: Default::default(), profile: Default::default() };
        let mut rows = Rows::new(open, &reading).unwrap();
        std::iter::from_fn(|| rows.next().unwrap()).map(|(line, circle)| (line.number, circle)).collect()
    }

    #[test]
    fn parents_come_before_those_that_belong_to_them_and_circles_are_known() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("accounts.csv");
        let lines = "reference,name,parent\n,Lab,Works\n7,Works AG,group\n,Shop,7\n8,Group,Holding Elsewhere\n";
        std::fs::write(&file, format!("{lines},Alone,\n,Ring,Chain\n,Chain,Ring\n")).unwrap();
        let expected = [(5, false), (6, false), (7, true), (8, true), (3, false), (2, false), (4, false)];
        assert_eq!(read(&file), expected);
        std::fs::write(&file, "name\nA\nB\n").unwrap();
        assert_eq!(read(&file), [(2, false), (3, false)]);
    }
}
