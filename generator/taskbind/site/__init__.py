"""`taskbind site`: the generated docs as a web site, checked, and put in place as a whole or not at all.

Markdown goes through Zensical, which the extra `taskbind[site]` installs; everything around it is here: what goes into
the site, the Markdown twin of every page, `llms.txt` and `llms-full.txt`, versions, and the link check.
"""
