# Install the gateway as a service of Windows Server, from the archive that `make gateway-build` makes.
#
#   .\install.ps1 -Archive collegium-connect-1.2.3-windows-amd64.tar.gz
#
# May be run again: another version is put beside the first and becomes the current one; configuration,
# data and keys stay as they are. Run it in an elevated PowerShell.
param(
    [Parameter(Mandatory)] [string] $Archive,
    [string] $RootMetadata = "",
    [string] $Program = "$env:ProgramFiles\Collegium Connect",
    [string] $Data = "$env:ProgramData\Collegium Connect"
)
$ErrorActionPreference = "Stop"
$service = "collegium-connect"
$account = "NT SERVICE\$service"

if ((Split-Path -Leaf $Archive) -notmatch '^collegium-connect-(\d+\.\d+\.\d+)-windows-.*\.tar\.gz$') {
    throw "The archive is not named collegium-connect-VERSION-windows-MACHINE.tar.gz."
}
$version = $Matches[1]
$target = Join-Path $Program "versions\$version"
$current = Join-Path $Program "current"
$config = Join-Path $Data "connect.toml"

foreach ($file in @($Archive, $RootMetadata) | Where-Object { $_ }) {
    if (-not (Test-Path $file)) { throw "$file cannot be read. Nothing was changed." }
}
$ran = (Get-Service $service -ErrorAction SilentlyContinue).Status -eq "Running"
if ($ran) { Stop-Service $service }
New-Item -ItemType Directory -Force (Join-Path $Program "versions"), (Join-Path $Data "data\lease") | Out-Null
if (-not (Test-Path $target)) {
    $partial = Join-Path $Program "versions\.$version"
    if (Test-Path $partial) { Remove-Item -Recurse -Force $partial }
    New-Item -ItemType Directory $partial | Out-Null
    tar.exe -xzf $Archive -C $partial
    if ($LASTEXITCODE) { throw "The archive cannot be unpacked." }
    Rename-Item $partial $target
}
if (Test-Path $current) { [IO.Directory]::Delete($current) }
New-Item -ItemType Junction -Path $current -Target $target | Out-Null

if (-not (Test-Path $config)) {
    $example = Get-Content (Join-Path $PSScriptRoot "connect.example.toml") -Raw
    $folder, $etc, $opt = (Join-Path $Data "data"), $Data, $Program | ForEach-Object { $_.Replace("\", "/") }
    $example = $example.Replace("/var/lib/collegium-connect-update", "$etc/updates").Replace("/etc/collegium-connect", $etc)
    # Windows PowerShell 5 has no encoding without a byte order mark, and TOML allows none.
    [IO.File]::WriteAllText($config, $example.Replace("/var/lib/collegium-connect", $folder).Replace("/opt/collegium-connect", $opt))
}
if ($RootMetadata) { Copy-Item $RootMetadata (Join-Path $Data "releases-root.json") }

$command = "`"$current\collegium-connect.exe`" up --service --config `"$config`""
if (-not (Get-Service $service -ErrorAction SilentlyContinue)) {
    New-Service -Name $service -BinaryPathName $command -StartupType Automatic -DisplayName "Collegium Connect" `
        -Description "Receives DICOM, removes identity, delivers." | Out-Null
}
# The service's own account; started again two seconds after it ends by itself, which an update relies on.
sc.exe config $service obj= $account | Out-Null
sc.exe sidtype $service unrestricted | Out-Null
sc.exe failure $service reset= 86400 actions= restart/2000/restart/2000/restart/60000 | Out-Null
sc.exe failureflag $service 1 | Out-Null
# SYSTEM, Administrators and that account; SIDs, because names differ from language to language.
icacls.exe $Data /inheritance:r /grant:r "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F" "${account}:(OI)(CI)M" /Q | Out-Null

# The updater: every hour, as SYSTEM, which may write the program; the gateway's account may not.
$action = New-ScheduledTaskAction -Execute "$current\collegium-connect.exe" `
    -Argument "update install --config `"$config`""
$trigger = New-ScheduledTaskTrigger -Once -At (Get-Date) -RepetitionInterval (New-TimeSpan -Hours 1)
Register-ScheduledTask -Force -TaskName "Collegium Connect update" -Action $action -Trigger $trigger `
    -User "SYSTEM" -RunLevel Highest | Disable-ScheduledTask | Out-Null

if ($ran) {
    Start-Service $service
    Write-Output "Version $version is in place and runs."
    return
}
Write-Output @"
Version $version is in place. Next:
  1. edit $config
  2. & "$current\collegium-connect.exe" enrol --code CODE
  3. Start-Service $service
  4. Enable-ScheduledTask "Collegium Connect update"    (once [updates] is set)
  5. back up $Data\data\keys, offline
"@
