import QtQuick
import "../theme"

// A line icon in any colour; words always stand beside it, so it is not read out.
Image {
    property string name: ""
    property color tone: Theme.ink
    property real size: 48

    width: size
    height: size
    sourceSize: Qt.size(size, size)
    source: name === "" ? "" : "image://icon/" + name + "/" + tone.toString().slice(-6)
    Accessible.ignored: true
}
