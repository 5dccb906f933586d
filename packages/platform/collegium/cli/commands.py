"""`collegium`: start the server, look after its database, keys and audit."""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from collegium.kit.errors import CollegiumError
from collegium.settings.installation import Installation, UnknownSetting, installation

app = typer.Typer(
    help="The Collegium server.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
database_app = typer.Typer(help="The database.", no_args_is_help=True)
keys_app = typer.Typer(help="The installation's keys.", no_args_is_help=True)
audit_app = typer.Typer(help="The audit trail.", no_args_is_help=True)
account_app = typer.Typer(help="Accounts of people.", no_args_is_help=True)
blobs_app = typer.Typer(help="Stored objects.", no_args_is_help=True)
project_app = typer.Typer(help="Projects.", no_args_is_help=True)
app.add_typer(database_app, name="db")
app.add_typer(keys_app, name="keys")
app.add_typer(audit_app, name="audit")
app.add_typer(account_app, name="account")
app.add_typer(blobs_app, name="blobs")
app.add_typer(project_app, name="project")

DataDir = Annotated[Path | None, typer.Option("--data", help="Data folder; also COLLEGIUM_DATA_DIR.")]


def main() -> None:
    """Run a command; an error of ours is one line and exit code 1, never a stack trace."""
    try:
        app()
    except (CollegiumError, UnknownSetting) as error:
        typer.secho(str(error), fg="red", err=True)
        sys.exit(1)


@app.callback()
def settings(data: DataDir = None) -> None:
    if data:
        os.environ["COLLEGIUM_DATA_DIR"] = str(data.absolute())


@app.command()
def up(port: Annotated[int | None, typer.Option(help="TCP port.")] = None) -> None:
    """Start database, web and worker; Ctrl-C stops them all."""
    if port:
        os.environ["COLLEGIUM_PORT"] = str(port)
    from collegium.cli.family import Family

    Family(installation(), tell=_tell).run()


@app.command()
def doctor() -> None:
    """Check settings, keys, disk, database, clock and audit; name the remedy for each fault."""
    from collegium.cli.doctor import examine

    findings = examine(installation())
    for finding in findings:
        typer.secho(
            f"{'ok   ' if finding.is_well else 'FAULT'} {finding.what}", fg=None if finding.is_well else "red"
        )
        if finding.remedy:
            typer.echo(f"      {finding.remedy}")
    raise typer.Exit(0 if all(finding.is_well for finding in findings) else 1)


@database_app.command("prepare")
def db_prepare(
    owner_url: Annotated[str, typer.Option(help="A role that may create roles and databases.")],
    app_password: Annotated[str, typer.Option(envvar="COLLEGIUM_APP_PASSWORD", prompt=True, hide_input=True)],
    database: Annotated[str, typer.Option(help="Name of the database.")] = "collegium",
) -> None:
    """Make the app role and the database on a PostgreSQL 18 of your own; safe to repeat."""
    from collegium.kit.postgres import prepare

    prepare(owner_url, app_password, database)
    typer.echo(
        "Prepared. Set COLLEGIUM_OWNER_DATABASE_URL and DATABASE_URL, then run `collegium db migrate`."
    )


@database_app.command("migrate")
def db_migrate() -> None:
    """Bring the tables to this version; back up first."""
    _as_owner()
    from django.core.management import call_command

    with _database(installation()):
        call_command("migrate", verbosity=1)
        call_command("reconcile_roles")


@database_app.command("status")
def db_status() -> None:
    """Where the database is and whether its tables are of this version."""
    _as_owner()
    from django.core.management import call_command

    with _database(installation()):
        call_command("migrate", check=True, verbosity=0)
    typer.echo("The tables are of this version.")


@database_app.command("backup")
def db_backup(target: Path) -> None:
    """Write the whole database, as of one moment, to a new file; then copy objects, then keys."""
    from collegium.kit.postgres import EmbeddedPostgres, dump

    settings = installation()
    with _database(settings):
        url = (
            settings.owner_database_url
            or settings.database_url
            or EmbeddedPostgres(settings.data_dir).addresses.owner
        )
        dump(url, target)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    typer.echo(f"Wrote {target}. SHA-256 of the file: {digest}")


@keys_app.command("backup")
def keys_backup(
    target: Path,
    passphrase: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
) -> None:
    """Copy the keys, sealed under a passphrase, to a file to be kept elsewhere."""
    from collegium.kit import keyring

    digest = keyring.backup(installation().keys_dir, target, passphrase)
    typer.echo(f"Wrote {target}. SHA-256 of the file: {digest}")


@keys_app.command("restore")
def keys_restore(
    source: Path, passphrase: Annotated[str, typer.Option(prompt=True, hide_input=True)]
) -> None:
    """Put backed-up keys into an installation that has none."""
    from collegium.kit import keyring

    try:
        keyring.restore(source, installation().keys_dir, passphrase)
    except FileExistsError as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(1) from error
    typer.echo("The keys are in place.")


@audit_app.command("verify")
def audit_verify() -> None:
    """Recompute every chain and check it against the kept tree heads; name the first bad entry of each."""
    _as_owner()
    from collegium.trust.audit import heads, verify
    from collegium.trust.tenancy.keys import ring

    with _database(installation()):
        verdict = verify.verify()
        faults = [*verdict.faults, *heads.check_heads(installation().data_dir / "heads", ring().signer)]
    for fault in faults:
        typer.secho(str(fault), fg="red")
    typer.echo(f"{verdict.entries} entries in {verdict.chains} chains: {len(faults) or 'no'} faults")
    raise typer.Exit(1 if faults else 0)


@audit_app.command("seal")
def audit_seal() -> None:
    """Sign the head of every chain that grew, outside the database; the worker does this every hour."""
    _setup()
    from collegium.trust.audit import heads, verify
    from collegium.trust.tenancy.keys import ring

    with _database(installation()):
        signed = heads.sign_heads(verify.chains(), ring().signer, installation().data_dir / "heads")
    typer.echo(
        f"Signed {len(signed)} new heads in {installation().data_dir / 'heads'}. Copy them to another place."
    )


@blobs_app.command("sweep")
def blobs_sweep() -> None:
    """Delete stored objects older than a day that no row names; the worker does this every night."""
    _setup()
    from collegium.imaging.ingest.services import ORPHANS_AFTER, sweep_orphans

    with _database(installation()):
        deleted, freed_bytes = sweep_orphans(older_than=ORPHANS_AFTER)
    typer.echo(f"Deleted {deleted} objects that no row named: {freed_bytes} bytes.")


@account_app.command("add")
def account_add(
    email: str,
    name: Annotated[str, typer.Option(help="Full name, as it stands in signatures.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    organisation: Annotated[
        str, typer.Option(help="Also found this organisation, with the person as officer.")
    ] = "",
) -> None:
    """Make an account; the first one usually founds an organisation."""
    _setup()
    from collegium.kit.database import acting_as
    from collegium.kit.principals import Actor, Principal
    from collegium.trust.identity.services import create_account
    from collegium.trust.tenancy.services import create_organisation

    with _database(installation()):
        with acting_as(Principal.system()):
            account = create_account(actor=Actor.system(), email=email, full_name=name, password=password)
        if organisation:
            with acting_as(Principal.system()):
                create_organisation(actor=Actor.system(), name=organisation, officer=account.principal)
    typer.echo(f"{name} may sign in as {account.email}.")


@project_app.command("leak-check")
def project_leak_check(
    project: Annotated[str, typer.Option(help="Name or id of the project.")],
    tasks: Annotated[int, typer.Option(help="Tasks opened for each person, at most.", min=1)] = 25,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Also print the values that leaked.")] = False,
) -> None:
    """Ask every route as every blinded person of a project; exit code 1 if one is told what must be hidden."""
    _setup()
    from django.urls import get_resolver

    from collegium import wiring
    from collegium.asgi import application
    from collegium.research.oversight.leaks import services
    from collegium.research.oversight.leaks.crawl import Limits
    from collegium.research.oversight.leaks.plan import routes_of

    settings = installation()
    with _database(settings):
        principal, space_id = services.witness_of(project)
        report = services.check(
            principal=principal,
            space_id=space_id,
            application=application,
            routes=routes_of(get_resolver().url_patterns, wiring.byte_paths()),
            host=urlsplit(settings.address).hostname or settings.host,
            limits=Limits(tasks=tasks),
        )
    typer.echo(report.to_json(show=show) if as_json else "\n".join(report.lines(show=show)))
    raise typer.Exit(0 if report.is_clean else 1)


def _tell(line: str) -> None:
    typer.echo(line)
    sys.stdout.flush()


def _setup() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collegium.settings.django")
    import django

    django.setup()


def _as_owner() -> None:
    """This process works as the database's owner: migrations and the verifier see everything."""
    os.environ["COLLEGIUM_AS_OWNER"] = "true"
    installation.cache_clear()
    _setup()


def _database(settings: Installation) -> AbstractContextManager[object]:
    """The embedded server for the time of a command (a running one is used as it is); nothing for an external one."""
    from collegium.kit.postgres import EmbeddedPostgres

    return nullcontext() if settings.database_url else EmbeddedPostgres(settings.data_dir)
