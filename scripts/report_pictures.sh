#!/bin/sh
# The pictures of docs/report.md: a simulated city, and six short clips. Needs Chromium, the development data, and yunet
# (felicity detectors install yunet, or FELICITY_YUNET), since hog finds nobody in two of the clips.
# sh scripts/report_pictures.sh ../shared/data docs/images
set -eu
data=$1 images=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
felicity() { python -m felicity "$@"; }

cat > "$work/boroughs.toml" <<'TOML'
[[place]]
name = "Manhattan (New York)"
happy = 0.38
people_per_hour = 40
[[place]]
name = "Brooklyn (Kings)"
happy = 0.46
people_per_hour = 25
[[place]]
name = "Queens"
happy = 0.52
change = 0.08
people_per_hour = 20
[[place]]
name = "Bronx"
happy = 0.44
people_per_hour = 15
TOML
# The map says, too, that these places are simulated. Nobody is simulated on Staten Island.
sed 's/"name": "\([^"]*\)"}/"name": "\1 (simulated)"}/g' "$data/geo/nyc_boroughs_2011.geojson" > "$work/boroughs.geojson"
felicity simulate --store "$work/city.db" --places "$work/boroughs.toml" --days 100 --effect 2026-06-22=8
felicity locations import "$work/boroughs.geojson" --update --store "$work/city.db"
felicity report --store "$work/city.db" --title "Five boroughs (simulated)" -o "$work/simulated.html" \
  --at 2026-06-22 --touched "Manhattan (New York) (simulated)" \
  --comparison "Brooklyn (Kings) (simulated),Bronx (simulated)" \
  --weight visits --footfall "$data/geo/nyc_boroughs_commuting_2011.csv"

number=1
for clip in "$data"/media/*.gif; do
  felicity watch "$clip" --location "Clip $number" --start "2026-05-04T1$number:00" --store "$work/clips.db"
  number=$((number + 1))
done
felicity report --store "$work/clips.db" --k 1 --title "Six short clips" -o "$work/clips.html"

for name in simulated clips; do
  python scripts/page_pictures.py "$work/$name.html" "$images/report-$name"
done
