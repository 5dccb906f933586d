# Take the gateway off this machine. Run it in an elevated PowerShell.
#
#   .\uninstall.ps1              the program, the service, the task; configuration, data and keys stay
#   .\uninstall.ps1 -WithData    all of it: what still waits here is lost, and so are the keys
param(
    [switch] $WithData,
    [string] $Program = "$env:ProgramFiles\Collegium Connect",
    [string] $Data = "$env:ProgramData\Collegium Connect"
)
$ErrorActionPreference = "Stop"
$service = "collegium-connect"
$current = Join-Path $Program "current"

Unregister-ScheduledTask -TaskName "Collegium Connect update" -Confirm:$false -ErrorAction SilentlyContinue
if (Get-Service $service -ErrorAction SilentlyContinue) {
    Stop-Service $service
    sc.exe delete $service | Out-Null
}
# The junction first: what it leads to must not be emptied through it.
if (Test-Path $current) { [IO.Directory]::Delete($current) }
if (Test-Path $Program) { Remove-Item -Recurse -Force $Program }
if ($WithData) {
    if (Test-Path $Data) { Remove-Item -Recurse -Force $Data }
    Write-Output "The gateway is removed. Its enrolment is withdrawn on the server's gateways page."
} else {
    Write-Output "The program is removed. $Data stays, with the keys."
}
