"""What can go wrong with an update. Whatever it is, the version that runs goes on running."""

from collegium_connect.errors import ConnectError


class UpdatesOff(ConnectError):
    code = "connect.update.off"
    message = "No repository of releases is configured: updates.url is empty."


class RepositoryUnusable(ConnectError):
    code = "connect.update.repository"
    message = "The repository of releases cannot be reached, or what it says is not signed as it must be."


class ReleaseUnusable(ConnectError):
    code = "connect.update.release"
    message = "The release cannot be used on this machine."


class ProgramFolderUnusable(ConnectError):
    code = "connect.update.program_folder"
    message = "The folder of installed versions is not as the installation left it."
