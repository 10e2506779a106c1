"""AppSync's execution of VTL resolvers: mapping templates, pipelines, and what a data source is asked.

Pure: nothing here knows a server, an account or a clock of its own. `patches.appsync_execution` gives it identities and
asks the data sources. Written after the AppSync Developer Guide, "Resolver mapping template reference (VTL)", and the
user guide of Apache Velocity 1.7, whose language it is. Runs in MiniStack's own virtualenv: standard library only.

An interpreter of our own, since the engines that PyPI has render text: AppSync's templates call methods of Java's maps,
lists and strings, end with `#return`, and differ in what null is.
"""
