"""Which calls CloudFormation makes for a resource, on what, and which roles it passes: facts and pure functions.

The local AWS asks for each of these calls with the rights of whoever acts for a stack. The modules run in MiniStack's
own virtualenv as well as in ours, so they import nothing but the standard library and each other.

- `table`: per type the calls of each of its handlers, as AWS publishes them;
- `optional`: which of them depend on properties;
- `subject`: a resource of a stack;
- `names`: the resource that a call is about;
- `passed_roles`, `locations`: what properties name besides: roles, and objects in S3;
- `calls`: all of it together.
"""
