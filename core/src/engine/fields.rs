//! Header fields on their way from Python to the wire, in one buffer.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

#[derive(Default)]
pub struct Fields {
    bytes: Vec<u8>,
    /// Where each name and value ends.
    ends: Vec<(u32, u32)>,
}

impl Fields {
    /// # Errors
    /// TypeError or ValueError: not pairs of strings, not latin-1, or no valid field (RFC 9110 5.1, 5.5).
    pub fn from_python(pairs: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut fields = Self { bytes: Vec::with_capacity(512), ends: Vec::with_capacity(12) };
        for pair in pairs.try_iter()? {
            let pair = pair?;
            if let Ok(pair) = pair.cast::<PyTuple>()
                && pair.len() == 2
            {
                fields.push(&pair.get_item(0)?, &pair.get_item(1)?)?;
            } else {
                let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair.extract()?;
                fields.push(&name, &value)?;
            }
        }
        Ok(fields)
    }

    fn push(&mut self, name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let start = self.bytes.len();
        text(&mut self.bytes, name)?;
        let middle = self.bytes.len();
        text(&mut self.bytes, value)?;
        let (name, value) = self.bytes.split_at_checked(middle).unwrap_or_default();
        if !crate::http::response::valid_field(name.get(start..).unwrap_or_default(), value) {
            return Err(PyValueError::new_err(format!(
                "no valid header field: {:?}: {:?}",
                String::from_utf8_lossy(name.get(start..).unwrap_or_default()),
                String::from_utf8_lossy(value),
            )));
        }
        self.ends.push((middle as u32, self.bytes.len() as u32));
        Ok(())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |&(middle, end)| {
            let name = self.bytes.get(start..middle as usize).unwrap_or_default();
            let value = self.bytes.get(middle as usize..end as usize).unwrap_or_default();
            start = end as usize;
            (name, value)
        })
    }

    pub fn get(&self, lower_name: &[u8]) -> Option<&[u8]> {
        self.iter().find(|(name, _)| name.eq_ignore_ascii_case(lower_name)).map(|(_, value)| value)
    }

    /// Its values as the one list that they are (RFC 9110 5.3).
    pub fn joined(&self, lower_name: &[u8]) -> Vec<u8> {
        let found = self.iter().filter(|(name, _)| name.eq_ignore_ascii_case(lower_name));
        found.map(|(_, value)| value).collect::<Vec<_>>().join(&b","[..])
    }
}

/// Header fields are latin-1 on the wire.
fn text(out: &mut Vec<u8>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    if let Ok(value) = value.cast::<PyString>() {
        let text = value.to_str()?;
        if text.is_ascii() {
            out.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        for character in text.chars() {
            let byte = u8::try_from(u32::from(character)).map_err(|_| {
                PyValueError::new_err(format!("a header field holds {character:?}, which is not latin-1"))
            })?;
            out.push(byte);
        }
        Ok(())
    } else if let Ok(value) = value.cast::<PyBytes>() {
        out.extend_from_slice(value.as_bytes());
        Ok(())
    } else {
        Err(PyTypeError::new_err("header fields are pairs of str or bytes"))
    }
}
