impl Resource for Note {
    type Patch = Edit;

    fn id(&self) -> &str {
        &self.id
    }

    // The last writer wins. (When it was edited is for the server to write.)
    fn apply(&self, edit: &Edit) -> Self {
        match &edit.text {
            Some(text) if edit.at >= self.edited => Note { text: text.clone(), ..self.clone() },
            _ => self.clone(),
        }
    }

    fn fields(edit: &Edit) -> Vec<Edit> {
        edit.text.iter().map(|_| edit.clone()).collect()
    }

    fn pick(&self, edit: &Edit) -> Edit {
        Edit { text: edit.text.as_ref().map(|_| self.text.clone()), at: edit.at }
    }

    fn diff(&self, newer: &Self) -> Edit {
        let text = (self.text != newer.text).then(|| newer.text.clone());
        Edit { text, at: newer.edited }
    }

    fn overlaps(a: &Edit, b: &Edit) -> bool {
        a.text.is_some() && b.text.is_some()
    }
}
