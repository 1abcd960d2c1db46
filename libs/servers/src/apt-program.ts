/**
 * A shell script that installs a Debian package for its program alone. Debian starts a service as soon as its package is unpacked, and again
 * at each boot: exit code 101 of policy-rc.d forbids the start, and where systemd runs the units are switched off afterwards.
 * A policy that is already there is the administrator's and stays.
 */
export function programOnlyScript(packageName: string, units: readonly string[]): string {
  return `
set -e
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT INT TERM
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
apt-get -q -o DPkg::Lock::Timeout=120 update || true
apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends ${packageName}
if [ -d /run/systemd/system ]; then
  systemctl disable --now ${units.join(' ')} > /dev/null 2>&1 || true
fi
`
}
