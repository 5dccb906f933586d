/** Compiles the Python of a zip with the Python that will run it: `compile-python.mjs IN OUT`. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { loadPyodide } from 'pyodide';

const COMPILE = `
import zipfile
from importlib._bootstrap_external import _code_to_timestamp_pyc

with zipfile.ZipFile("/in.zip") as source, zipfile.ZipFile("/out.zip", "w", zipfile.ZIP_DEFLATED) as out:
    for info in source.infolist():
        data = source.read(info)
        if info.filename.endswith(".py"):
            info = zipfile.ZipInfo(info.filename + "c", info.date_time)
            data = _code_to_timestamp_pyc(compile(data, info.filename[:-1], "exec", dont_inherit=True))
        out.writestr(info, data, zipfile.ZIP_DEFLATED)
`;

const [from, to] = process.argv.slice(2);
const info = JSON.parse(readFileSync(new URL('../node_modules/pyodide/pyodide-lock.json', import.meta.url), 'utf8')).info;
// Without packages: nothing is ever fetched from anywhere.
const python = await loadPyodide({ lockFileContents: { info, packages: {} } });
python.FS.writeFile('/in.zip', readFileSync(from));
python.runPython(COMPILE);
writeFileSync(`${to}.part`, python.FS.readFile('/out.zip'));
renameSync(`${to}.part`, to);
