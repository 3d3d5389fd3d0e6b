/**
 * system: the command that starts a throwaway server in a cage of kernel namespaces, where what a dumped database runs finds no program, no
 * network, no file of anybody and nothing to write but the server's own folders. It builds the command, and runs nothing.
 */
import { lstatSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { ourUid } from '../files/folders.js';
import { onPath } from '../files/path.js';
import type { Runner } from './account.js';

export interface CageRequest {
  /** The server's program, its arguments, and the folder of its data and its socket, which must be there. */
  readonly file: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly as: Runner;
}

/** What the cage's script prints once the server is ready and no program can be started any more. */
export const isCaged = 'caged';

/**
 * Makes a root of its own in $1, of what is named as kind and path up to `--`; moves there, starts the rest, and when the server is ready, as the
 * pid file $2 says, covers the folders of programs ($3, parted by colons; that of mount comes last), which a wrapper of the server needed.
 */
const script = `set -eu
PATH=$PATH:/usr/sbin:/sbin root=$1 ready=$2 programs=$3
shift 3
mount -t tmpfs -o mode=755,nosuid,nodev,size=16m none "$root"
while [ "$1" != -- ]; do
  path=$2 inside=$root$2
  mkdir -p "\${inside%/*}"
  case $1 in
    link) [ -e "$inside" ] || ln -s "$(readlink "$path")" "$inside" ;;
    empty) mkdir -p "$inside"; mount -t tmpfs -o mode=1777,nosuid,nodev,noexec none "$inside" ;;
    device) : >"$inside"; mount --bind "$path" "$inside" ;;
    file) : >"$inside"; mount --bind "$path" "$inside"; mount -o remount,bind,ro,nosuid,nodev "$inside" ;;
    folder) mkdir -p "$inside"; mount --rbind "$path" "$inside"; mount -o remount,bind,ro,nosuid,nodev "$inside" ;;
    own) mkdir -p "$inside"; mount --bind "$path" "$inside"; mount -o remount,bind,rw,nosuid,nodev,noexec "$inside" ;;
  esac
  shift 2
done
shift
mkdir -p "$root/proc"
mount --rbind /proc "$root/proc"
mount -o remount,ro,nosuid,nodev "$root"
cd "$root"
pivot_root . .
umount -n -l .
cd /
mount -t tmpfs -o ro,mode=555,size=4k none /proc
trap : QUIT TERM INT
"$@" & server=$!
until [ -r "$ready" ] && { read -r a; read -r a; read -r a; read -r a; read -r a; read -r a; read -r a; read -r a; [ "\${a%% *}" = ready ]; } <"$ready"; do
  kill -0 $server || exit 1
  sleep 0.02
done 2>/dev/null
IFS=:
for each in $programs; do [ ! -d "$each" ] || mount -t tmpfs -o ro,mode=555,size=4k none "$each"; done
echo ${isCaged}
while wait $server; end=$?; kill -0 $server 2>/dev/null; do :; done
exit $end`;

const libraries = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/nix', '/gnu'];
const settings = ['passwd', 'group', 'nsswitch.conf', 'ld.so.cache', 'localtime', 'ssl/openssl.cnf'].map((name) => `/etc/${name}`);
/** Dictionaries of Debian's text search, and where libraries of several providers are chosen. */
const beside = ['/var/cache/postgresql', '/etc/alternatives'];
const devices = ['null', 'zero', 'full', 'random', 'urandom'].map((name) => `/dev/${name}`);
const programFolders = ['/usr/local/bin', '/usr/local/sbin', '/usr/games', '/usr/libexec', '/usr/sbin', '/sbin', '/usr/bin', '/bin'];

const isLink = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;
const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** What the server sees, in the order in which it is made: kind and path. */
function sights({ file, folder }: CageRequest): string[][] {
  const home = dirname(dirname(file));
  const own = ['bin', 'lib', 'lib64', 'share', 'usr'].map((name) => join(home, name));
  const more = [dirname(file), ...own, ...(process.env['LD_LIBRARY_PATH'] ?? '').split(delimiter)];
  const outside = [...new Set(more)].filter((each) => each.startsWith('/') && !each.startsWith('/usr/') && isFolder(each));
  return [
    ...libraries.filter(isThere).map((path) => [isLink(path) ? 'link' : 'folder', path]),
    ...settings.filter(isThere).map((path) => ['file', path]),
    ...beside.filter(isFolder).map((path) => ['folder', path]),
    ...devices.filter(isThere).map((path) => ['device', path]),
    ['empty', '/dev/shm'],
    ['empty', '/tmp'],
    ...outside.filter((path) => !libraries.includes(path)).map((path) => [isLink(path) ? 'link' : 'folder', path]),
    ['own', join(folder, 'data')],
    ['own', join(folder, 'socket')],
  ];
}

/** As root and as anyone else who may make namespaces; the rights that this takes do not reach the server. */
export function caged(request: CageRequest): [file: string, args: string[]] | string {
  const { file, args, folder, as } = request;
  const [unshare, setpriv, shell] = ['unshare', 'setpriv', 'sh'].map((name) => onPath(name));
  if (!unshare || !setpriv || !shell) return 'the programs unshare and setpriv (of util-linux) are not on PATH';
  const asRoot = ourUid() === 0;
  const namespaces = [...(asRoot ? [] : ['--user', '--map-current-user', '--keep-caps']), '--mount', '--net', '--ipc', '--'];
  // the wish to die with us is lost with each change of rights
  const tied = ['--pdeathsig', 'KILL', '--'];
  const without = ['--no-new-privs', ...(asRoot ? [] : ['--inh-caps=-all', '--ambient-caps=-all']), ...tied];
  const [inner, innerArgs] = as.command(setpriv, [...without, 'env', '--chdir=/', file, ...args]);
  const covered = [dirname(file), ...programFolders].filter((path) => !isLink(path)).join(':');
  const places = [join(folder, 'root'), join(folder, 'data', 'postmaster.pid'), covered];
  return [
    unshare,
    [...namespaces, setpriv, ...tied, shell, '-c', script, 'cage', ...places, ...sights(request).flat(), '--', inner, ...innerArgs],
  ];
}
