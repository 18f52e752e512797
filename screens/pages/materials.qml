pragma ComponentBehavior: Bound
import QtQuick
import CitizensWindow
import "../controls"

PageFrame {
    id: page

    over: MaterialsModel.itemName
    title: MaterialsModel.missing
    notice: MaterialsModel.notice
    showBack: true
    primaryText: qsTr("下一步")
    primaryMore: qsTr("核对确认")
    primaryEnabled: MaterialsModel.complete
    onPrimary: MaterialsModel.next()

    Tip {
        visible: MaterialsModel.wanted !== ""
        tone: "warn"
        symbol: "pencil"
        text: qsTr("部门说：%1").arg(MaterialsModel.wanted)
    }

    Repeater {
        model: MaterialsModel.rows

        MaterialCard {}
    }
}
