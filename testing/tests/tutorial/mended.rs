impl Resource for Note {
    type Patch = Edit;

    fn id(&self) -> &str {
        &self.id
    }

    // The user's edit shows; who wins is for the server to say.
    fn apply(&self, edit: &Edit) -> Self {
        match &edit.text {
            Some(text) => Note { text: text.clone(), ..self.clone() },
            None => self.clone(),
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
