"""A draft from a word processor, a web page or a text file -> an issue file.

    word, text      what was given       -> HTML, the one form that all of them have
    html            HTML                 -> blocks of Markdown: headings, paragraphs, lists, tables, pictures
    titles          blocks               -> blocks with headings, where a draft has none but lines that look like some
    arrange         blocks               -> sections and stories
    proposals       a story              -> topics that its words speak for
    issuefile       sections and stories -> issue.md

What cannot be kept is noted with its place in the draft; nothing is dropped in silence.
"""
