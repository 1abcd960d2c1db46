# One image for each app:  docker build --build-arg APP=edge --tag chart/edge:0.1.0 .
# Its list of packages:    docker build --build-arg APP=edge --target sbom --output sbom .

ARG NODE_IMAGE=node:24-bookworm-slim

# The part of the repository that the app runs on: itself, our libraries that it uses, their lines of the lock file.
FROM ${NODE_IMAGE} AS pruned
WORKDIR /chart
ENV TURBO_TELEMETRY_DISABLED=1
COPY package.json ./
# What was fetched once is taken from the cache, so that a source that changed is built without a network.
RUN --mount=type=cache,target=/root/.npm \
    npm install --global --prefer-offline --no-audit --no-fund "turbo@$(npm pkg get devDependencies.turbo | tr -d '"')"
COPY . .
ARG APP
RUN set -eu; \
    apps='ingestor aggregator persister auditor edge dashboard exchange-simulator cli'; \
    case " $apps " in \
      *" $APP "*) ;; \
      *) echo "There is no image of '$APP'. Build with --build-arg APP=NAME, NAME being one of: $apps" >&2; exit 1;; \
    esac; \
    turbo prune "@chart/${APP}" --docker --production; \
    # What the page is built from is no part of what runs; the tools that build it are not in the prune above.
    rm -rf out/full/apps/*/src/page out/full/apps/*/vite.config.ts; \
    mkdir -p page/json page/full; \
    if [ "$APP" = dashboard ]; then turbo prune "@chart/${APP}" --docker --out-dir page; fi; \
    # The image's user is somebody else: a clone under umask 077 has files that nobody else may read.
    chmod -R u=rwX,go=rX out proto
WORKDIR /chart/out/json
# What only tests and this folder's tools need; some of it names packages that were pruned away.
RUN npm pkg delete devDependencies optionalDependencies scripts --workspaces --include-workspace-root

# Packages apart from our sources: this layer stays as long as the lock file does.
FROM ${NODE_IMAGE} AS packages
WORKDIR /chart
COPY --from=pruned /chart/out/json/ ./
RUN --mount=type=cache,target=/root/.npm \
    npm ci --prefer-offline --omit=dev --ignore-scripts --no-audit --no-fund

# The page that the dashboard serves, below page/; for the others an empty folder.
FROM ${NODE_IMAGE} AS page
WORKDIR /chart
COPY --from=pruned /chart/page/json/ ./
ARG APP
RUN --mount=type=cache,target=/root/.npm \
    set -eu; mkdir page; if [ "$APP" != dashboard ]; then exit; fi; \
    # Of all that tools and tests need, the two packages that make the page, as the lock file has them.
    versionOf() { node -p "require('./apps/dashboard/package.json').devDependencies['$1']"; }; \
    vite=$(versionOf vite); charts=$(versionOf lightweight-charts); \
    npm pkg delete devDependencies optionalDependencies scripts --workspaces --include-workspace-root; \
    npm pkg set "devDependencies.vite=$vite" "devDependencies.lightweight-charts=$charts" --workspace apps/dashboard; \
    npm ci --prefer-offline --ignore-scripts --no-audit --no-fund
COPY --from=pruned /chart/page/full/ ./
# Without source maps, which are twice the page: who looks for a fault builds it by `npm run build --workspace apps/dashboard`.
RUN set -eu; if [ "$APP" != dashboard ]; then exit; fi; \
    cd apps/dashboard; /chart/node_modules/.bin/vite build --sourcemap false --outDir /chart/page/apps/dashboard/dist

FROM packages AS listed
RUN npm sbom --omit=dev --sbom-format=cyclonedx > /sbom.cdx.json
FROM scratch AS sbom
COPY --from=listed /sbom.cdx.json /

# A root file system of Node and the libraries it is linked to: no shell, no package manager, nothing to write to.
FROM ${NODE_IMAGE} AS root
WORKDIR /root-fs
RUN set -eu; \
    mkdir -p etc usr/local/bin usr/lib var/lib/dpkg/status.d; \
    cp /usr/local/bin/node usr/local/bin/; \
    ldd /usr/local/bin/node | grep -o '/[^ ]*' | while read -r library; do \
      mkdir -p ".$(dirname "$library")"; cp --dereference "$library" ".$library"; \
    done; \
    # Scanners look here for what may have known faults.
    for package in base-files libc6 libgcc-s1 libstdc++6; do \
      dpkg-query --status "$package" > "var/lib/dpkg/status.d/$package"; \
      mkdir -p "usr/share/doc/$package"; cp "/usr/share/doc/$package/copyright" "usr/share/doc/$package/"; \
    done; \
    cp /etc/os-release etc/os-release; \
    echo 'chart:x:65532:65532:chart:/chart:/nonexistent' > etc/passwd; \
    echo 'chart:x:65532:' > etc/group; \
    echo 'hosts: files dns' > etc/nsswitch.conf

FROM scratch AS image
COPY --from=root /root-fs/ /
COPY --from=packages /chart/ /chart/
COPY --from=pruned /chart/out/full/ /chart/
COPY --from=pruned /chart/proto/ /chart/proto/
COPY --from=page /chart/page/ /chart/
COPY --chmod=644 LICENSE /chart/
ARG APP
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="chart ${APP}" \
      org.opencontainers.image.description="Real-time bars out of exchange trades: ${APP}" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/usr/local/bin NODE_ENV=production
USER 65532:65532
WORKDIR /chart/apps/${APP}
# Node is the first process (compose puts an init before it) and gets SIGTERM itself; each app ends with status 0 within 25 s of it.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node"]
CMD ["src/main.ts"]
