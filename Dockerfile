# Builds the JavaScript once, then keeps only what the daemon needs at run time.
FROM node:26-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

# Helm and Kustomize at the versions that Kargo renders with.
FROM golang:1.26-bookworm AS renderers
COPY test/tools/rendering /src
RUN go build -C /src -trimpath -ldflags "-s -w" -o /usr/local/bin/ \
  helm.sh/helm/v3/cmd/helm sigs.k8s.io/kustomize/kustomize/v5

FROM node:26-bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates git gnupg openssh-client tini \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --uid 10001 --create-home towpath \
  && install -d -o towpath -g towpath -m 0700 /var/lib/towpath
WORKDIR /opt/towpath
COPY --from=renderers /usr/local/bin/helm /usr/local/bin/kustomize /usr/local/bin/
COPY --from=build /src/node_modules ./node_modules
COPY --from=build /src/dist ./dist
COPY --from=build /src/bin ./bin
COPY --from=build /src/package.json ./
USER towpath
ENV NODE_ENV=production TOWPATH_DATA=/var/lib/towpath
VOLUME /var/lib/towpath
EXPOSE 8420
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8420/healthz').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"]
ENTRYPOINT ["tini", "--", "node", "/opt/towpath/bin/towpath.cjs"]
CMD ["serve", "--host", "0.0.0.0"]
